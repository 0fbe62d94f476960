package dev.runcast.merge;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Entry.BodyCase;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Entries appear and change, field by field; their texts grow. */
final class Entries {
    private Entries() {}

    static @Nullable Refusal upsert(Work work, EntryUpserted upserted) {
        Entry patch = upserted.getEntry();
        Entry before = work.entries.find(patch.getEntryId());
        if (before == null && patch.getBodyCase() == BodyCase.BODY_NOT_SET) {
            return EntryTable.unknown(patch.getEntryId());
        }
        if (before != null
                && patch.getBodyCase() != BodyCase.BODY_NOT_SET
                && patch.getBodyCase() != before.getBodyCase()) {
            return otherKind(before, patch.getBodyCase().name().toLowerCase(Locale.ROOT));
        }
        Collection<String> clear = distinct(upserted.getClear().getPathsList());
        Refusal refusal = checkClear(clear, before == null ? patch : before);
        if (refusal != null) {
            return refusal;
        }
        EntryState said = patch.getState() == EntryState.ENTRY_STATE_UNSPECIFIED ? null : patch.getState();
        boolean reopens = before != null && reopens(work, before, said);
        if (before != null && !reopens) {
            refusal = checkState(work, before, said);
            if (refusal != null) {
                return refusal;
            }
        }

        EntryTable.Draft draft = before == null
                ? work.entries.appear(patch.getEntryId(), work.execution.entries, work.logTime)
                : work.entries.draft(patch.getEntryId());
        if (draft == null) {
            return EntryTable.unknown(patch.getEntryId());
        }
        draft.written = true;
        draft.upserted = true;
        Entry.Builder record = draft.record;
        if (reopens) {
            draft.texts.restart();
            record.clearEndedAt().clearFailure();
        }
        record.setState(stateAfter(work, before, said, reopens));
        clear(draft, clear, patch);
        patchFields(record, patch);
        return Bodies.texts(patch, draft.texts::replace);
    }

    static @Nullable Refusal append(Work work, TextAppended appended) {
        EntryTable.Draft draft = work.entries.draft(appended.getEntryId());
        if (draft == null) {
            return EntryTable.unknown(appended.getEntryId());
        }
        TextField field = appended.getField();
        if (!Bodies.hasText(draft.record.getBodyCase(), field)) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_ENTRY_KIND,
                    "field: %s (expected: one that a %s has for writers)"
                            .formatted(
                                    field.name().replaceFirst("^TEXT_FIELD_", ""), kindOf(draft.record.getBodyCase())));
        }
        if (draft.texts.isRepeated(field, appended.getOffset(), appended.getTextBytes(), appended.getTruncate())) {
            work.entries.release(draft);
            return null;
        }
        draft.written = true;
        return draft.texts.append(field, appended.getOffset(), appended.getTextBytes(), appended.getTruncate());
    }

    /**
     * Whether a newer attempt begins a finished entry again. Agent frameworks run the step that was in flight once
     * more, with the same ids and other words. What a person has decided stays decided.
     */
    private static boolean reopens(Work work, Entry before, @Nullable EntryState said) {
        if (work.epoch <= before.getEpoch()
                || !EntryStates.isFinished(before.getState())
                || Approvals.isDecided(before)) {
            return false;
        }
        return before.getState() == EntryState.ENTRY_STATE_INTERRUPTED || said != null && !EntryStates.isFinished(said);
    }

    private static @Nullable Refusal checkState(Work work, Entry before, @Nullable EntryState said) {
        if (said == null || said == before.getState()) {
            return null;
        }
        if (Approvals.isDecided(before)) {
            return finished(before, EntryStates.shown(before.getState()) + ", as decided");
        }
        boolean unfinishes = EntryStates.isFinished(before.getState()) && !EntryStates.isFinished(said);
        return unfinishes && !wasSettledByEnd(work, before) ? finished(before, "a finished state") : null;
    }

    /** After the end, content that comes late may still call unfinished what the end has settled. */
    private static boolean wasSettledByEnd(Work work, Entry before) {
        return work.execution.outcome != null && before.getState() == Phases.settled(work.execution.outcome);
    }

    private static EntryState stateAfter(
            Work work, @Nullable Entry before, @Nullable EntryState said, boolean reopens) {
        EntryState state;
        if (said != null) {
            state = said;
        } else {
            state = before == null || reopens ? EntryState.ENTRY_STATE_PENDING : before.getState();
        }
        return whenEnded(work, state);
    }

    /** Nothing is unfinished in an execution that has ended. */
    static EntryState whenEnded(Work work, EntryState state) {
        return work.execution.outcome == null || EntryStates.isFinished(state)
                ? state
                : Phases.settled(work.execution.outcome);
    }

    private static void patchFields(Entry.Builder record, Entry patch) {
        if (patch.hasParentId()) {
            setParent(record, patch.getParentId());
        }
        if (patch.hasStartedAt()) {
            record.setStartedAt(patch.getStartedAt());
        }
        if (patch.hasEndedAt()) {
            record.setEndedAt(patch.getEndedAt());
        }
        if (patch.hasFailure()) {
            if (Work.isEmpty(patch.getFailure())) {
                record.clearFailure();
            } else {
                record.setFailure(patch.getFailure());
            }
        }
        Bodies.patch(record, patch);
        Bodies.unknown(record, patch.getUnknownFields());
    }

    /** An empty parent is the execution, as an absent one is: kept in one form. */
    static void setParent(Entry.Builder record, String parentId) {
        if (parentId.isEmpty()) {
            record.clearParentId();
        } else {
            record.setParentId(parentId);
        }
    }

    /** To clear a field twice is to clear it; a long list of repeats need not be gone through. */
    private static Collection<String> distinct(List<String> paths) {
        return paths.size() < 2 ? paths : new LinkedHashSet<>(paths);
    }

    private static @Nullable Refusal checkClear(Collection<String> paths, Entry entry) {
        for (String path : paths) {
            switch (path) {
                case "parent_id", "started_at", "ended_at", "failure" -> {}
                default -> {
                    FieldDescriptor body = Bodies.clearedBody(path);
                    if (body == null || Bodies.clearedField(body, path) == null) {
                        return Refusal.invalid("clear", Ids.shown(path), "a field that a writer can clear");
                    }
                    if (body.getNumber() != entry.getBodyCase().getNumber()) {
                        return otherKind(entry, body.getName());
                    }
                }
            }
        }
        return null;
    }

    private static void clear(EntryTable.Draft draft, Collection<String> paths, Entry patch) {
        for (String path : paths) {
            TextField text = Bodies.clearedText(path);
            FieldDescriptor body = Bodies.clearedBody(path);
            if (text != null) {
                if (!givesText(patch, text)) {
                    draft.texts.clear(text);
                }
            } else if (body != null) {
                FieldDescriptor field = Bodies.clearedField(body, path);
                if (field != null && draft.record.hasField(body)) {
                    Bodies.clear(draft.record, body, field);
                }
            } else {
                draft.record.clearField(Entry.getDescriptor().findFieldByName(path));
            }
        }
    }

    private static boolean givesText(Entry patch, TextField wanted) {
        boolean[] gives = {false};
        Bodies.texts(patch, (field, text) -> {
            gives[0] |= field == wanted;
            return null;
        });
        return gives[0];
    }

    static Refusal otherKind(Entry entry, String said) {
        return Refusal.of(
                RejectionReason.REJECTION_REASON_ENTRY_KIND,
                "entry %s: %s (expected: %s)"
                        .formatted(Ids.shown(entry.getEntryId()), said, kindOf(entry.getBodyCase())));
    }

    static Refusal finished(Entry entry, String expected) {
        return Refusal.of(
                RejectionReason.REJECTION_REASON_ENTRY_FINISHED,
                "entry %s: it is %s (expected: %s)"
                        .formatted(Ids.shown(entry.getEntryId()), EntryStates.shown(entry.getState()), expected));
    }

    private static String kindOf(BodyCase kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }
}
