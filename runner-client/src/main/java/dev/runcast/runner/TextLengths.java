package dev.runcast.runner;

import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Entry;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.Update;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How long each text of an execution is once everything sequenced is merged: where the next append goes. Remembers the
 * 8,192 texts used last, several times what may be open at once (512 entries of at most two texts). Not thread-safe.
 */
final class TextLengths {
    private static final int REMEMBERED = 8192;

    private final LinkedHashMap<TextKey, Long> lengths = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TextKey, Long> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** In bytes of UTF-8; 0 for a text that is not known. */
    long of(TextKey key) {
        return lengths.getOrDefault(key, 0L);
    }

    void set(TextKey key, long bytes) {
        lengths.put(key, bytes);
    }

    /** Follows what an update does to texts. */
    void follow(Update update) {
        if (update.hasEntryUpserted()) {
            Entry entry = update.getEntryUpserted().getEntry();
            EntryTexts.of(entry)
                    .forEach((field, text) -> set(new TextKey(entry.getEntryId(), field), Utf8.length(text)));
        } else if (update.hasTextAppended()) {
            TextAppended append = update.getTextAppended();
            TextKey key = new TextKey(append.getEntryId(), append.getField());
            long end = append.getOffset() + append.getTextBytes().size();
            set(key, append.getTruncate() ? end : Math.max(of(key), end));
        }
    }
}
