package dev.runcast.merge;

import com.google.protobuf.ByteString;
import dev.runcast.v1.Entry;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import java.util.EnumMap;
import java.util.Map;

/**
 * One entry of a view: its record, and its texts as ropes (Boehm, Atkinson and Plass 1995), so that an append costs
 * what it adds and older views keep what they had.
 */
record EntryView(Entry record, Map<TextField, Text> texts) {
    /** @param generation which writing of the text, from 1 */
    record Text(int generation, ByteString bytes) {}

    EntryView(Entry record) {
        this(record, Map.of());
    }

    EntryView withRecord(Entry newer) {
        return new EntryView(newer, texts);
    }

    EntryView with(TextChange change) {
        Text before = texts.get(change.getField());
        Text base = before == null || change.getGeneration() > before.generation
                ? new Text(change.getGeneration(), ByteString.EMPTY)
                : before;
        if (change.getGeneration() < base.generation
                || change.getOffset() < 0
                || change.getOffset() > base.bytes.size()) {
            throw new IllegalArgumentException(
                    "text of %s: generation %d, offset %d (expected: generation %d, offset at most %d)"
                            .formatted(
                                    Ids.shown(change.getEntryId()),
                                    change.getGeneration(),
                                    change.getOffset(),
                                    base.generation,
                                    base.bytes.size()));
        }
        ByteString kept = base.bytes.substring(0, (int) change.getOffset());
        Map<TextField, Text> after = new EnumMap<>(TextField.class);
        after.putAll(texts);
        after.put(change.getField(), new Text(change.getGeneration(), kept.concat(change.getTextBytes())));
        return new EntryView(record, after);
    }

    long textBytes() {
        return record.getTextsList().stream()
                .mapToLong(text -> text.getLengthBytes())
                .sum();
    }

    /** The record with its texts filled in. */
    Entry full() {
        if (texts.isEmpty()) {
            return record;
        }
        Entry.Builder full = record.toBuilder();
        texts.forEach((field, text) -> Bodies.fill(full, field, text.bytes));
        return full.build();
    }
}
