package dev.runcast.runner;

import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Entry;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.ObjLongConsumer;

/**
 * How long each text of an execution is once everything sequenced is merged: where the next append goes. Remembers the
 * 8,192 texts used last, several times what may be open at once (512 entries of at most two texts). Not thread-safe.
 */
final class TextLengths {
    private static final int REMEMBERED = 8192;

    /** The bytes of UTF-8; and whether the entry is finished, so that no more is expected. */
    private record Length(long bytes, boolean settled) {}

    private final LinkedHashMap<TextKey, Length> lengths = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TextKey, Length> eldest) {
            return size() > REMEMBERED;
        }
    };

    /** In bytes of UTF-8; 0 for a text that is not known. */
    long of(TextKey key) {
        Length length = lengths.get(key);
        return length == null ? 0 : length.bytes;
    }

    void set(TextKey key, long bytes) {
        lengths.put(key, new Length(bytes, false));
    }

    /** Follows what an update does to texts. */
    void follow(Update update) {
        if (update.hasEntryUpserted()) {
            Entry entry = update.getEntryUpserted().getEntry();
            EntryTexts.of(entry)
                    .forEach((field, text) -> set(new TextKey(entry.getEntryId(), field), Utf8.length(text)));
            if (Changes.finished(entry.getState())) {
                for (TextField field : TextField.values()) {
                    lengths.computeIfPresent(
                            new TextKey(entry.getEntryId(), field), (key, length) -> new Length(length.bytes, true));
                }
            }
        } else if (update.hasTextAppended()) {
            TextAppended append = update.getTextAppended();
            TextKey key = new TextKey(append.getEntryId(), append.getField());
            long end = append.getOffset() + append.getTextBytes().size();
            set(key, append.getTruncate() ? end : Math.max(of(key), end));
        }
    }

    /** The texts of entries that are not finished. */
    void growing(ObjLongConsumer<TextKey> each) {
        lengths.forEach((key, length) -> {
            if (!length.settled) {
                each.accept(key, length.bytes);
            }
        });
    }
}
