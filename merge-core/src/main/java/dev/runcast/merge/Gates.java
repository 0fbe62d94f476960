package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.RejectionReason;
import org.jspecify.annotations.Nullable;

/** What keeps an update from being looked at, whatever it says: its time and its attempt. */
final class Gates {
    private Gates() {}

    /**
     * Closed comes first, so that what an ended execution answers after a day needs nothing but its header.
     *
     * @param closed whether the entries have left the state
     */
    static @Nullable Refusal check(Work work, boolean closed) {
        ExecutionState execution = work.execution;
        Timestamp end = execution.endedAt;
        if (closed || end != null && Times.passed(Limits.OPEN_AFTER_END, end, work.logTime)) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_CLOSED,
                    "received_at: %s (expected: at most 24 hours after the end at %s)"
                            .formatted(Times.shown(work.logTime), end == null ? "?" : Times.shown(end)));
        }
        long least = Math.max(execution.epoch, execution.minimumEpoch);
        if (work.epoch > 0 && work.epoch < least) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_FENCED,
                    "epoch: %d (expected: %d or greater)".formatted(work.epoch, least));
        }
        return null;
    }

    /** An execution that is not known may be one that has left the state: an old attempt must not begin it anew. */
    static @Nullable Refusal checkAge(Work work) {
        Timestamp received = work.batch.getReceivedAt();
        if (work.epoch == 0 || Times.millis(received) - work.epoch <= Limits.EPOCH_AGE.toMillis()) {
            return null;
        }
        return Refusal.of(
                RejectionReason.REJECTION_REASON_EXPIRED,
                "epoch: %d (expected: at most 29 days before %s, since the execution is not known)"
                        .formatted(work.epoch, Times.shown(received)));
    }
}
