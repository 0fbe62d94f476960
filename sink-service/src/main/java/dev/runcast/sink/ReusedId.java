package dev.runcast.sink;

import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import java.time.Duration;

/**
 * An id that is used again. The merge forgets an execution 30 days of log time after its end, and whatever comes for
 * the id then begins at version 1. What is stored of the ended one gives way to it.
 */
final class ReusedId {
    /** A day less than the merge keeps a header, since doors' clocks differ; nothing begins earlier. */
    private static final Duration FORGOTTEN_AFTER = Duration.ofDays(29);

    private ReusedId() {}

    /** Whether a first change is another execution's than what is stored, and not a repetition of its beginning. */
    static boolean begins(Execution stored, Change first) {
        return stored.hasEndedAt()
                && first.getReceivedAt().getSeconds() - stored.getEndedAt().getSeconds() >= FORGOTTEN_AFTER.toSeconds();
    }
}
