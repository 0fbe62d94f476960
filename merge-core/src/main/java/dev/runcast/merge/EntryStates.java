package dev.runcast.merge;

import dev.runcast.v1.EntryState;

/** Which states are final for the attempt that said them. */
final class EntryStates {
    private EntryStates() {}

    static boolean isFinished(EntryState state) {
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

    /** A state's name as people write it, such as RUNNING. */
    static String shown(EntryState state) {
        return state.name().replaceFirst("^ENTRY_STATE_", "");
    }
}
