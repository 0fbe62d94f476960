package dev.runcast.mergestream;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.VerdictKind;
import org.jspecify.annotations.Nullable;

/** What the watchdog knows of one execution that has not ended. Times are milliseconds since 1970 by its own clock. */
final class Watch {
    final ExecutionKey key;
    private long version;
    private long epoch;
    private long minimumEpoch;
    private Phase phase;
    private boolean stalled;
    private boolean supervised;
    private long heardAt;
    private long silentSince;
    private long answerDueAt;
    private @Nullable VerdictKind refused;
    private boolean ended;

    /**
     * @param heardAt from when silence counts for STALLED
     * @param silentSince from when it counts for LOST; in an execution that was found in the store this is older, since
     *     a restart a day would otherwise mean that nothing is ever lost
     */
    Watch(Execution header, boolean supervised, long heardAt, long silentSince) {
        key = new ExecutionKey(header.getTenant(), header.getExecutionId());
        phase = header.getPhase();
        this.supervised = supervised;
        this.heardAt = heardAt;
        this.silentSince = silentSince;
        become(header);
    }

    /** Takes over what the merge made of it; a new phase is news, whoever brought it. */
    void changed(Execution header, long now) {
        if (header.getPhase() != phase) {
            heard(now);
        }
        become(header);
    }

    void heard(long now) {
        heardAt = now;
        silentSince = now;
        refused = null;
    }

    void supervised(boolean hasWorkflow) {
        supervised = hasWorkflow;
    }

    void ended() {
        ended = true;
    }

    /** The verdict that was waited for has been merged. */
    void answered(@Nullable VerdictKind refusedForGood) {
        answerDueAt = 0;
        refused = refusedForGood;
    }

    /** A verdict is on its way; until then none is added. */
    void awaitAnswer(long dueAt) {
        answerDueAt = dueAt;
    }

    boolean isEnded() {
        return ended;
    }

    boolean isStalled() {
        return stalled;
    }

    long version() {
        return version;
    }

    long epoch() {
        return epoch;
    }

    /** Whether an attempt still counts for this execution. 0 is a runner that takes no part in fencing. */
    boolean counts(long attempt) {
        return attempt == 0 || attempt >= Math.max(epoch, minimumEpoch);
    }

    /**
     * What is to be said of it at a time.
     *
     * @param asOf up to when everything that was said has been heard
     * @param watchingSince since when the watchdog has been listening without a break
     * @return null when nothing is
     */
    @Nullable
    VerdictKind judge(long asOf, long watchingSince, long stalledAfter, long lostAfter) {
        if (ended || asOf < answerDueAt || !isRunnersTurn()) {
            return null;
        }
        if (canBeLost() && lostAt(watchingSince, stalledAfter, lostAfter) <= asOf) {
            return VerdictKind.VERDICT_KIND_LOST;
        }
        if (canStall() && stalledAt(watchingSince, stalledAfter) <= asOf) {
            return VerdictKind.VERDICT_KIND_STALLED;
        }
        return null;
    }

    /** When it should be judged again: never before its time, at the latest {@code stalledAfter} from now. */
    long nextJudgement(long now, long watchingSince, long stalledAfter, long lostAfter) {
        long next = now + stalledAfter;
        if (!isRunnersTurn()) {
            return next;
        }
        if (canStall()) {
            next = Math.min(next, stalledAt(watchingSince, stalledAfter));
        }
        if (canBeLost()) {
            next = Math.min(next, lostAt(watchingSince, stalledAfter, lostAfter));
        }
        return Math.max(next, Math.max(now + 1, answerDueAt));
    }

    private void become(Execution header) {
        version = header.getVersion();
        epoch = header.getEpoch();
        minimumEpoch = header.getMinimumEpoch();
        phase = header.getPhase();
        stalled = header.getStalled();
    }

    /** While a person decides or holds the run, a runner has nothing to say. */
    private boolean isRunnersTurn() {
        return phase == Phase.PHASE_PENDING || phase == Phase.PHASE_RUNNING;
    }

    /** What nobody has begun to run cannot stall: it waits its turn. */
    private boolean canStall() {
        return !stalled && refused != VerdictKind.VERDICT_KIND_STALLED && (epoch > 0 || phase == Phase.PHASE_RUNNING);
    }

    /** A workflow supervises its attempts itself. */
    private boolean canBeLost() {
        return !supervised && refused != VerdictKind.VERDICT_KIND_LOST;
    }

    private long stalledAt(long watchingSince, long stalledAfter) {
        return Math.max(heardAt, watchingSince) + stalledAfter;
    }

    /** Also one that has been silent for long gets the time to be heard after the watchdog itself was away. */
    private long lostAt(long watchingSince, long stalledAfter, long lostAfter) {
        return Math.max(silentSince + lostAfter, stalledAt(watchingSince, stalledAfter));
    }
}
