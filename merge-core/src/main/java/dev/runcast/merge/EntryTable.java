package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import dev.runcast.state.v1.EntryRecord;
import dev.runcast.state.v1.TextMarks;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextChange;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The entries of an execution as a batch sees them: each loaded when it is touched, drafted while an update works on
 * it, and written once at the end of the batch. Which ones are unfinished is read from the keys of an index, never by
 * looking at entries.
 */
final class EntryTable {
    /** An entry that the present update works on. */
    static final class Draft {
        private final Slot slot;
        /** As it was before the update; null when the update makes it appear. */
        final @Nullable Entry before;

        final Entry.Builder record;
        final Texts texts;

        /** The update's writer wrote it, rather than something settling it: its attempt becomes the writer's. */
        boolean written;

        /** Its writer wrote it with an upsert, which is what can bring fields that this build does not know. */
        boolean upserted;

        /** Something other than its writer finished it. */
        boolean settled;

        /** As it is when the update holds: built once, when it is counted. */
        private Entry after = Entry.getDefaultInstance();

        private Draft(Slot slot, Entry.Builder record, Texts texts) {
            this.slot = slot;
            this.before = slot.entry;
            this.record = record;
            this.texts = texts;
        }

        /** What the size of a record is measured by: without the version, time and attempt of its last change. */
        private int measured() {
            Entry was = before == null ? Entry.getDefaultInstance() : before;
            Entry.Builder measured =
                    after.toBuilder().setVersion(was.getVersion()).setEpoch(was.getEpoch());
            return (was.hasUpdatedAt() ? measured.setUpdatedAt(was.getUpdatedAt()) : measured.clearUpdatedAt())
                    .buildPartial()
                    .getSerializedSize();
        }
    }

    private static final class Slot {
        @Nullable
        Entry entry;

        List<TextMarks> marks = List.of();

        /** Read from the entry and its marks when first worked on. */
        @Nullable
        Texts texts;

        @Nullable
        Draft draft;

        /** The entry to go on with, so that it is not copied for each update; null when it has to be copied again. */
        Entry.@Nullable Builder record;

        boolean changed;
        boolean indexed;
    }

    /** More than the version, time and attempt of a record can take. */
    private static final int STAMP_BYTES = 64;

    private static final Comparator<Draft> BY_ORDINAL = Comparator.comparingLong(draft -> draft.after.getOrdinal());

    private final StateReader state;
    private final StateKeys keys;
    private final Map<String, Slot> slots = new LinkedHashMap<>();
    private final List<Draft> drafts = new ArrayList<>();
    private final List<TextChange> textChanges = new ArrayList<>();
    private int appearing;

    EntryTable(StateReader state, StateKeys keys) {
        this.state = state;
        this.keys = keys;
    }

    /** The entry as the update so far leaves it, for looking at only; null when it has not appeared. */
    @Nullable
    Entry find(String entryId) {
        Slot slot = slot(entryId);
        return slot.draft != null ? slot.draft.record.buildPartial() : slot.entry;
    }

    /** An entry to work on; null when it has not appeared. */
    @Nullable
    Draft draft(String entryId) {
        Slot slot = slot(entryId);
        if (slot.draft == null && slot.entry != null) {
            begin(slot, slot.record == null ? slot.entry.toBuilder() : slot.record);
        }
        return slot.draft;
    }

    /**
     * A new entry to work on.
     *
     * @param before how many entries had appeared before this update
     */
    Draft appear(String entryId, long before, Timestamp createdAt) {
        Slot slot = slot(entryId);
        appearing++;
        return begin(
                slot,
                Entry.newBuilder()
                        .setEntryId(entryId)
                        .setState(EntryState.ENTRY_STATE_PENDING)
                        .setOrdinal(before + appearing)
                        .setCreatedAt(createdAt));
    }

    /** Gives up a draft in which nothing was changed. */
    void release(Draft draft) {
        if (!draft.written && !draft.settled) {
            draft.slot.draft = null;
            drafts.remove(draft);
        }
    }

    /** The ids of all unfinished entries, in order of appearance. */
    List<String> open() {
        Map<Long, String> open = new TreeMap<>();
        for (byte[] key : state.keys(keys.prefix(StateKeys.OPEN), Limits.OPEN_ENTRIES)) {
            String entryId = keys.openEntry(key);
            Slot slot = slot(entryId);
            if (slot.entry != null) {
                open.put(slot.entry.getOrdinal(), entryId);
            }
        }
        slots.forEach((entryId, slot) -> {
            Entry entry = find(entryId);
            if (entry == null) {
                return;
            }
            if (EntryStates.isFinished(entry.getState())) {
                open.remove(entry.getOrdinal());
            } else {
                open.put(entry.getOrdinal(), entryId);
            }
        });
        return List.copyOf(open.values());
    }

    /** What a list of todos rewrites is bounded: one of few bytes could else make a change of megabytes. */
    @Nullable
    Refusal checkList(Rules rules) {
        long bytes = 0;
        for (Draft draft : drafts) {
            bytes += draft.written ? draft.record.buildPartial().getSerializedSize() : 0;
        }
        return bytes <= rules.listBytes() ? null : Refusal.tooLarge("entries of the list", bytes, rules.listBytes());
    }

    /** Finishes the drafts and counts what the update changes, before it is known whether it holds. */
    @Nullable
    Refusal count(Work work) {
        ExecutionState execution = work.execution;
        Rules rules = work.rules;
        long openBefore = execution.openEntries;
        long bytes = 0;
        for (Draft draft : drafts) {
            draft.texts.store(draft.record);
            draft.record.setVersion(work.nextVersion()).setUpdatedAt(work.logTime);
            if (work.epoch > 0 && draft.written) {
                draft.record.setEpoch(work.epoch);
            }
            Entry after = draft.record.build();
            draft.after = after;
            int size = after.getSerializedSize();
            int most = draft.upserted ? rules.upsertedBytes() : rules.touchedBytes();
            if (size > most - STAMP_BYTES) {
                int measured = draft.measured();
                if (measured > most) {
                    return Refusal.tooLarge("entry", measured, most);
                }
            }
            Refusal unknown = draft.upserted ? UnknownFields.check(rules, "entry", after) : null;
            if (unknown != null) {
                return unknown;
            }
            bytes += size;
            if (draft.before != null) {
                Sums.count(execution, draft.before, -1);
            }
            Sums.count(execution, after, 1);
        }
        if (bytes > Limits.CHANGE_ENTRIES_BYTES) {
            return Refusal.tooLarge("entries of the change", bytes, Limits.CHANGE_ENTRIES_BYTES);
        }
        if (execution.openEntries > Limits.OPEN_ENTRIES && execution.openEntries > openBefore) {
            return Refusal.tooMany("unfinished entries", execution.openEntries, Limits.OPEN_ENTRIES);
        }
        return null;
    }

    /**
     * Lets the drafts hold, as they were counted.
     *
     * @param change is given the records, in order of appearance, and how texts changed, in the order it happened
     */
    void keep(Change.Builder change) {
        if (drafts.size() > 1) {
            drafts.sort(BY_ORDINAL);
        }
        // One by one: the builders' addAll asks each list what else it is, which takes longer than one or two records.
        for (Draft draft : drafts) {
            Slot slot = draft.slot;
            slot.entry = draft.after;
            slot.texts = draft.texts;
            slot.changed = true;
            slot.draft = null;
            change.addEntries(draft.after);
        }
        for (TextChange text : textChanges) {
            change.addTexts(text);
        }
        drafts.clear();
        textChanges.clear();
        appearing = 0;
    }

    void putBack() {
        for (Draft draft : drafts) {
            draft.slot.draft = null;
            draft.slot.record = null;
        }
        drafts.clear();
        appearing = 0;
        textChanges.clear();
    }

    void write(List<StateWrite> to) {
        slots.forEach((entryId, slot) -> {
            if (!slot.changed || slot.entry == null) {
                return;
            }
            EntryRecord.Builder record = EntryRecord.newBuilder().setEntry(slot.entry);
            for (TextMarks marks : slot.texts == null ? slot.marks : slot.texts.marks()) {
                record.addMarks(marks);
            }
            to.add(new StateWrite(
                    keys.many(StateKeys.ENTRY, entryId), record.build().toByteArray()));
            boolean open = !EntryStates.isFinished(slot.entry.getState());
            if (open != slot.indexed) {
                to.add(new StateWrite(keys.open(slot.entry.getOrdinal(), entryId), open ? new byte[0] : null));
            }
        });
    }

    private Draft begin(Slot slot, Entry.Builder record) {
        if (slot.texts == null && slot.entry != null) {
            slot.texts = new Texts(slot.entry, slot.marks, textChanges);
        }
        Texts texts = slot.texts == null ? Texts.none(record.getEntryId(), textChanges) : slot.texts.copy();
        Draft draft = new Draft(slot, record, texts);
        slot.draft = draft;
        slot.record = record;
        drafts.add(draft);
        return draft;
    }

    private Slot slot(String entryId) {
        Slot slot = slots.get(entryId);
        if (slot == null) {
            slot = new Slot();
            EntryRecord record = Records.read(state, keys.many(StateKeys.ENTRY, entryId), EntryRecord.parser());
            if (record != null) {
                slot.entry = record.getEntry();
                slot.marks = record.getMarksList();
                slot.indexed = !EntryStates.isFinished(slot.entry.getState());
            }
            slots.put(entryId, slot);
        }
        return slot;
    }

    /** The refusal of what names an entry that nobody has written. */
    static Refusal unknown(String entryId) {
        return Refusal.of(
                RejectionReason.REJECTION_REASON_UNKNOWN_ENTRY,
                "entry_id: %s (expected: an entry that has appeared)".formatted(Ids.shown(entryId)));
    }
}
