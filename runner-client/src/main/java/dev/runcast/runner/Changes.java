package dev.runcast.runner;

import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Update;

/** What the client must know of an update's meaning: little. */
final class Changes {
    private Changes() {}

    static boolean terminal(Phase phase) {
        return switch (phase) {
            case PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED -> true;
            case PHASE_UNSPECIFIED,
                    PHASE_PENDING,
                    PHASE_RUNNING,
                    PHASE_WAITING_FOR_APPROVAL,
                    PHASE_PAUSED,
                    UNRECOGNIZED -> false;
        };
    }

    /** Whether the update ends the run. */
    static boolean terminal(Update update) {
        return update.hasPhaseChanged() && terminal(update.getPhaseChanged().getPhase());
    }

    static boolean finished(EntryState state) {
        return switch (state) {
            case ENTRY_STATE_COMPLETED,
                    ENTRY_STATE_FAILED,
                    ENTRY_STATE_SKIPPED,
                    ENTRY_STATE_CANCELLED,
                    ENTRY_STATE_INTERRUPTED -> true;
            case ENTRY_STATE_UNSPECIFIED, ENTRY_STATE_PENDING, ENTRY_STATE_RUNNING, ENTRY_STATE_WAITING, UNRECOGNIZED ->
                false;
        };
    }

    /** Whether the update is about the entry, so that nothing of the entry may be moved across it. */
    static boolean touches(Update update, String entryId) {
        return switch (update.getChangeCase()) {
            case ENTRY_UPSERTED ->
                update.getEntryUpserted().getEntry().getEntryId().equals(entryId);
            case TEXT_APPENDED -> update.getTextAppended().getEntryId().equals(entryId);
            // Progress, labels and omissions know nothing of entries.
            case EXECUTION_PATCHED, OMITTED, DECLARED -> false;
            case ATTEMPT_STARTED,
                    PHASE_CHANGED,
                    RECOVERED,
                    TODOS_REPLACED,
                    APPROVAL_DECIDED,
                    CONTROL_REQUESTED,
                    VERDICT,
                    CHANGE_NOT_SET -> true;
        };
    }

    /** The upsert without state, end and failure: how an entry too large for one update begins. */
    static Update opening(Update upsert) {
        Entry entry = EntryTexts.emptied(upsert.getEntryUpserted().getEntry()).toBuilder()
                .clearState()
                .clearEndedAt()
                .clearFailure()
                .build();
        Update.Builder opening = upsert.toBuilder();
        opening.getEntryUpsertedBuilder().setEntry(entry);
        return opening.build();
    }

    /** The upsert without texts: how an entry too large for one update ends, when its texts are complete. */
    static Update closing(Update upsert) {
        Update.Builder closing = upsert.toBuilder();
        closing.getEntryUpsertedBuilder()
                .setEntry(EntryTexts.without(upsert.getEntryUpserted().getEntry()))
                .clearClear();
        return closing.build();
    }
}
