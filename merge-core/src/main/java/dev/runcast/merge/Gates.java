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
     * @param givenUpEpoch attempts up to this one, if they have not been adopted, were given up
     */
    static @Nullable Refusal check(Work work, boolean closed, long givenUpEpoch) {
        ExecutionState execution = work.execution;
        Timestamp end = execution.endedAt;
        if (isClosed(work, closed)) {
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
        if (end != null && beganTooLate(work, end)) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_CLOSED,
                    "epoch: %d (expected: %d or less, when the execution ended)"
                            .formatted(work.epoch, Times.millis(end)));
        }
        if (work.epoch > execution.epoch && work.epoch <= givenUpEpoch) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_FENCED,
                    "epoch: %d (expected: more than %d, since too many attempts of which nothing applied wait)"
                            .formatted(work.epoch, givenUpEpoch));
        }
        return null;
    }

    /** Whether the execution takes nothing more from anybody. */
    static boolean isClosed(Work work, boolean closed) {
        Timestamp end = work.execution.endedAt;
        return closed || end != null && Times.passed(Limits.OPEN_AFTER_END, end, work.logTime);
    }

    /**
     * What an attempt ran before the end may come after it, from a spool, though the attempt was never heard of: it
     * has its time. An attempt that begins later has nothing to add to a run that has ended, and by writing would take
     * over the entries of the one that ended it. Where no attempt was ever adopted there is nothing to take over.
     */
    private static boolean beganTooLate(Work work, Timestamp end) {
        long adopted = work.execution.epoch;
        return work.rules.endShutsOutLaterAttempts()
                && adopted > 0
                && work.epoch > adopted
                && work.epoch > Times.millis(end);
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
