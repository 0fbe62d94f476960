package dev.runcast.runner;

import dev.runcast.v1.Entry;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a door has made durable, by writer: the next sequence is taken, one before is a duplicate, one beyond is a gap.
 * Puts texts together as the merge would and breaks on an append that does not fit. Thread-safe.
 */
final class IngestLog {

    /** What a writer's log holds. */
    static final class Stream {
        final List<Update> updates = new ArrayList<>();
        /** Of each update that is not an append: all texts of the execution as they then were. */
        final List<Moment> moments = new ArrayList<>();

        final Map<String, String> texts = new TreeMap<>();
        int duplicates;

        long last() {
            return updates.size();
        }
    }

    /** An update and the texts when it was taken. */
    record Moment(Update update, Map<String, String> texts) {}

    private final Map<StreamKey, Stream> streams = new HashMap<>();

    static StreamKey key(UpdateBatch batch) {
        return new StreamKey(batch.getExecutionId(), batch.getWriter().getName(), batch.getEpoch());
    }

    synchronized Stream stream(StreamKey key) {
        return streams.computeIfAbsent(key, any -> new Stream());
    }

    /** Takes an update; false when it lies beyond a gap. */
    synchronized boolean take(StreamKey key, long sequence, Update update) {
        Stream stream = stream(key);
        if (sequence > stream.last() + 1) {
            return false;
        }
        if (sequence <= stream.last()) {
            stream.duplicates++;
            return true;
        }
        stream.updates.add(update);
        if (update.hasTextAppended()) {
            append(stream, update.getTextAppended());
        } else {
            if (update.hasEntryUpserted()) {
                Entry entry = update.getEntryUpserted().getEntry();
                EntryTexts.of(entry).forEach((field, text) -> stream.texts.put(name(entry.getEntryId(), field), text));
            }
            stream.moments.add(new Moment(update, Map.copyOf(stream.texts)));
        }
        return true;
    }

    synchronized List<Update> updates(StreamKey key) {
        return List.copyOf(stream(key).updates);
    }

    synchronized List<Moment> moments(StreamKey key) {
        return List.copyOf(stream(key).moments);
    }

    synchronized Map<String, String> texts(StreamKey key) {
        return new TreeMap<>(stream(key).texts);
    }

    synchronized String text(StreamKey key, String entryId, TextField field) {
        return stream(key).texts.getOrDefault(name(entryId, field), "");
    }

    static String name(String entryId, TextField field) {
        return entryId + "/" + field;
    }

    private static void append(Stream stream, TextAppended append) {
        String name = name(append.getEntryId(), append.getField());
        String before = stream.texts.getOrDefault(name, "");
        int length = before.getBytes(StandardCharsets.UTF_8).length;
        if (append.getOffset() != length) {
            throw new AssertionError(
                    "offset of an append to " + name + ": " + append.getOffset() + " (expected: " + length + ")");
        }
        stream.texts.put(name, before + append.getText());
    }
}
