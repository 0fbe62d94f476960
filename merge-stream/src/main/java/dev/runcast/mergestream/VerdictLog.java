package dev.runcast.mergestream;

import dev.runcast.v1.UpdateBatch;

/** Where verdicts are appended: the log of updates, like everything else that changes a state. */
interface VerdictLog {
    /**
     * Appends without waiting and without throwing. A verdict that is lost on the way is judged again, for what it
     * judged still holds.
     */
    void append(UpdateBatch verdict);
}
