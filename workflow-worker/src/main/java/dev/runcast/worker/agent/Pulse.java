package dev.runcast.worker.agent;

import dev.runcast.runner.SignalListener;
import dev.runcast.v1.Phase;
import dev.runcast.workflow.AttemptProgress;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.client.ActivityCompletionException;
import io.temporal.failure.TimeoutFailure;
import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The sign of life of one attempt, given by the agent's own thread and by no other, so that an agent that hangs is not
 * taken for one that lives. Where it is given, the attempt also hears that it should stop: from Temporal, which answers
 * heartbeats, or sooner from Runcast, which signals on the stream of reports.
 */
final class Pulse implements SignalListener {
    /** Why an attempt stops. */
    enum Reason {
        /** Somebody asked for the end of the run. */
        CANCELLED,
        /** The run is held. */
        PAUSED,
        /** A newer attempt counts. */
        FENCED,
        /** The execution has ended. */
        CLOSED,
        /** Temporal says so, and not why. */
        TOLD
    }

    /** The attempt is to stop: thrown where the agent waits. */
    static final class StopException extends RuntimeException {
        final Reason reason;

        StopException(Reason reason) {
            super(reason.name(), null, false, false);
            this.reason = reason;
        }
    }

    private static final Duration BEAT = Duration.ofMillis(200);

    private final ActivityExecutionContext context;
    private final AttemptProgress progress;
    /** By Temporal's library, for want of heartbeats. Of the agent's own thread. */
    private boolean takenForLost;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition told = lock.newCondition();
    private @Nullable Reason stop;
    private Phase outcome = Phase.PHASE_UNSPECIFIED;

    Pulse(ActivityExecutionContext context, long epoch) {
        this.context = context;
        this.progress = new AttemptProgress(epoch);
    }

    /**
     * Gives a sign of life; throttled by the SDK.
     *
     * @throws StopException when the attempt is to stop
     */
    void beat() {
        if (!mayGoOn()) {
            // The signal says why, if it has come. A worker that shuts down says so here too: coming back stopped costs
            // the run none of its attempts, as an exception would.
            throw new StopException(known(Reason.TOLD));
        }
        lock.lock();
        try {
            if (stop != null) {
                throw new StopException(stop);
            }
        } finally {
            lock.unlock();
        }
    }

    /** Gives a sign of life when it no longer matters whether the attempt is to stop. */
    void alive() {
        boolean unused = mayGoOn();
    }

    /**
     * Gives Temporal the sign of life, and says whether the attempt may go on.
     *
     * <p>When no heartbeat has got through for longer than the heartbeat timeout, the SDK takes the attempt for lost.
     * It is not: what it reports counts until a newer attempt fences it, and Runcast says when that is. So an outage of
     * Temporal costs no run its work. From then on Temporal is not asked any more: each try would hold the agent up for
     * as long as a call may take, and would be refused all the same.
     */
    private boolean mayGoOn() {
        if (takenForLost) {
            return true;
        }
        try {
            context.heartbeat(progress);
            return true;
        } catch (ActivityCompletionException e) {
            takenForLost = e.getCause() instanceof TimeoutFailure;
            return takenForLost;
        }
    }

    /** Waits, and lives meanwhile. */
    void rest(Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        beat();
        while (true) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return;
            }
            lock.lock();
            try {
                if (stop == null) {
                    long unused = told.awaitNanos(Math.min(left, BEAT.toNanos()));
                }
            } finally {
                lock.unlock();
            }
            beat();
        }
    }

    /** The terminal phase that Runcast named; unspecified when it named none. */
    Phase outcome() {
        lock.lock();
        try {
            return outcome;
        } finally {
            lock.unlock();
        }
    }

    private Reason known(Reason otherwise) {
        lock.lock();
        try {
            return stop == null ? otherwise : stop;
        } finally {
            lock.unlock();
        }
    }

    private void stop(Reason reason) {
        lock.lock();
        try {
            // A hold that comes first does not hide an end.
            if (stop == null || stop == Reason.PAUSED) {
                stop = reason;
            }
            told.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void cancelRequested() {
        stop(Reason.CANCELLED);
    }

    @Override
    public void paused() {
        stop(Reason.PAUSED);
    }

    @Override
    public void fenced() {
        stop(Reason.FENCED);
    }

    @Override
    public void closed(Phase phase) {
        lock.lock();
        try {
            outcome = phase;
        } finally {
            lock.unlock();
        }
        stop(Reason.CLOSED);
    }
}
