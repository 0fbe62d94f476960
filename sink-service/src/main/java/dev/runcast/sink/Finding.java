package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;

/**
 * What was found of one execution when the store was compared with the log.
 *
 * @param verdict in one word
 * @param logVersion the newest version that the log makes; 0 when it makes none
 * @param storedVersion the version that the store has; 0 when it has none
 * @param difference where the two first differ, with both values; empty when they do not
 */
public record Finding(ExecutionKey key, Verdict verdict, long logVersion, long storedVersion, String difference) {
    /** How an execution in the store compares with what the log makes of it. */
    public enum Verdict {
        /** Everything is as the log makes it: history, header, entries, texts. */
        EQUAL,
        /** Something is not. */
        DIFFERENT,
        /** It is not in the store. */
        MISSING,
        /** What is stored is equal, and the log goes on: the sink has not written the rest. */
        BEHIND,
        /** It is in the store, and the log has nothing of it. */
        NOT_IN_LOG
    }

    /** @param historyDiffers where the two histories first differ; empty when they do not */
    static Finding of(ExecutionKey key, Shadow.Of log, StoredExecution stored, String historyDiffers) {
        String difference = historyDiffers.isEmpty() ? stored.problem() : historyDiffers;
        Verdict verdict;
        if (stored.version() == 0) {
            verdict = difference.isEmpty() ? Verdict.MISSING : Verdict.DIFFERENT;
        } else if (!difference.isEmpty()) {
            verdict = Verdict.DIFFERENT;
        } else {
            verdict = stored.version() < log.version() ? Verdict.BEHIND : Verdict.EQUAL;
        }
        return new Finding(key, verdict, log.version(), stored.version(), difference);
    }

    /** For a person, in one line. */
    @Override
    public String toString() {
        return switch (verdict) {
            case EQUAL -> "%s: equal at version %d".formatted(key, storedVersion);
            case DIFFERENT -> "%s: different at version %d: %s".formatted(key, storedVersion, difference);
            case MISSING -> "%s: missing (expected: version %d)".formatted(key, logVersion);
            case BEHIND ->
                "%s: equal at version %d, and behind (expected: version %d)".formatted(key, storedVersion, logVersion);
            case NOT_IN_LOG -> "%s: in the store at version %d, and not in the log".formatted(key, storedVersion);
        };
    }
}
