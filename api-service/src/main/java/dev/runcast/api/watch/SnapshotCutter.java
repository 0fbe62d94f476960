package dev.runcast.api.watch;

import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.SnapshotReason;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.WatchExecutionResponse;
import java.util.ArrayList;
import java.util.List;

/** Cuts a state into the parts of a snapshot, none larger than 1 MiB. For one snapshot; not thread-safe. */
final class SnapshotCutter {
    /** What a part may have, with room for its frame. */
    private static final int MAX_BYTES = 1024 * 1024 - 1024;
    /** More than the tag and length of one element take. */
    private static final int ELEMENT_OVERHEAD = 8;

    private final SnapshotReason reason;
    private final String cursor;
    private Snapshot.Builder part;
    private int bytes;

    SnapshotCutter(SnapshotReason reason, Execution execution, String cursor) {
        this.reason = reason;
        this.cursor = cursor;
        this.part = Snapshot.newBuilder().setReason(reason).setFirst(true).setExecution(execution);
        this.bytes = execution.getSerializedSize() + ELEMENT_OVERHEAD;
    }

    /** Takes an entry with its texts; gives the parts that are full, often none. */
    List<Frame> add(StoredEntry entry) {
        List<Frame> full = new ArrayList<>();
        Entry entryRecord = entry.record();
        makeRoom(entryRecord.getSerializedSize(), full);
        part.addEntries(entryRecord);
        for (TextChange text : entry.texts()) {
            makeRoom(text.getSerializedSize(), full);
            part.addTexts(text);
        }
        return full;
    }

    /** All parts, of a state that one change made. */
    List<Frame> whole(Change first) {
        List<Frame> parts = new ArrayList<>();
        for (Entry entry : first.getEntriesList()) {
            List<TextChange> texts = first.getTextsList().stream()
                    .filter(text -> text.getEntryId().equals(entry.getEntryId()))
                    .toList();
            parts.addAll(add(new StoredEntry(entry, texts)));
        }
        parts.add(last());
        return parts;
    }

    /** The last part, with the cursor. */
    Frame last() {
        return new Frame(WatchExecutionResponse.newBuilder()
                .setSnapshot(part.setLast(true))
                .setCursor(cursor)
                .build());
    }

    private void makeRoom(int size, List<Frame> full) {
        if (bytes + size + ELEMENT_OVERHEAD > MAX_BYTES) {
            full.add(new Frame(
                    WatchExecutionResponse.newBuilder().setSnapshot(part).build()));
            part = Snapshot.newBuilder().setReason(reason);
            bytes = 0;
        }
        bytes += size + ELEMENT_OVERHEAD;
    }
}
