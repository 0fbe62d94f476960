package dev.runcast.merge;

import com.google.protobuf.ByteString;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Conflation: several consecutive changes as one, for a viewer who is too slow for each of them. */
final class Fold {
    private record TextKey(String entryId, TextField field) {}

    /** A piece of a text: what is cut before it, and what it puts there. */
    private record Piece(int generation, long offset, ByteString bytes) {
        long end() {
            return offset + bytes.size();
        }
    }

    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<TextKey, Deque<Piece>> texts = new LinkedHashMap<>();

    private Fold() {}

    static Change of(List<Change> changes) {
        if (changes.isEmpty()) {
            throw new IllegalArgumentException("changes: none (expected: at least 1)");
        }
        if (changes.size() == 1) {
            return changes.get(0);
        }
        return new Fold().fold(changes);
    }

    private Change fold(List<Change> changes) {
        Change last = changes.get(changes.size() - 1);
        Change.Builder folded = last.toBuilder()
                .clearEntries()
                .clearTexts()
                .clearExecution()
                .setFirstVersion(changes.get(0).getFirstVersion());
        long omitted = 0;
        long version = changes.get(0).getFirstVersion() - 1;
        for (Change change : changes) {
            if (change.getFirstVersion() != version + 1) {
                throw new IllegalArgumentException(
                        "change: from version %d (expected: from %d)".formatted(change.getFirstVersion(), version + 1));
            }
            version = change.getVersion();
            omitted += change.getOmitted();
            if (change.hasRequestOutcome()) {
                folded.setRequestOutcome(change.getRequestOutcome());
            }
            if (change.hasExecution()) {
                Execution before = folded.getExecution();
                folded.setExecution(header(before, change.getExecution()));
            }
            change.getEntriesList().forEach(entry -> entries.put(entry.getEntryId(), entry));
            change.getTextsList().forEach(this::text);
        }
        List<Entry> records = new ArrayList<>(entries.values());
        records.sort(Comparator.comparingLong(Entry::getOrdinal));
        folded.setOmitted(omitted).addAllEntries(records);
        texts.forEach((key, pieces) -> pieces.forEach(piece -> folded.addTexts(TextChange.newBuilder()
                .setEntryId(key.entryId)
                .setField(key.field)
                .setGeneration(piece.generation)
                .setOffset(piece.offset)
                .setTextBytes(piece.bytes))));
        return folded.build();
    }

    /** What is absent in the newer one is unchanged by it, so what the older one said of it stays said. */
    private static Execution header(Execution older, Execution newer) {
        Execution.Builder folded = newer.toBuilder();
        if (!newer.hasSpec() && older.hasSpec()) {
            folded.setSpec(older.getSpec());
        }
        if (!newer.hasAttributes() && older.hasAttributes()) {
            folded.setAttributes(older.getAttributes());
        }
        if (!newer.hasFailure() && older.hasFailure()) {
            folded.setFailure(older.getFailure());
        }
        if (!newer.hasLateOutcome() && older.hasLateOutcome()) {
            folded.setLateOutcome(older.getLateOutcome());
        }
        if (!newer.hasAttempt() && older.hasAttempt()) {
            folded.setAttempt(older.getAttempt());
        }
        return folded.build();
    }

    /** Adds what a text change says, and drops the pieces that it cuts away. */
    private void text(TextChange change) {
        Deque<Piece> pieces =
                texts.computeIfAbsent(new TextKey(change.getEntryId(), change.getField()), key -> new ArrayDeque<>());
        long offset = change.getOffset();
        if (!pieces.isEmpty() && pieces.getLast().generation != change.getGeneration()) {
            pieces.clear();
        }
        while (!pieces.isEmpty() && pieces.getLast().offset >= offset) {
            pieces.removeLast();
        }
        ByteString bytes = change.getTextBytes();
        if (!pieces.isEmpty()) {
            Piece last = pieces.removeLast();
            ByteString kept = last.end() > offset ? last.bytes.substring(0, (int) (offset - last.offset)) : last.bytes;
            if (last.offset + kept.size() == offset) {
                bytes = kept.concat(bytes);
                offset = last.offset;
            } else {
                pieces.addLast(last);
            }
        }
        pieces.addLast(new Piece(change.getGeneration(), offset, bytes));
    }
}
