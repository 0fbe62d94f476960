package dev.runcast.api.watch;

import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Whether a feed's execution is there, for viewers who need to know that it is, and for those who wait until it is. Who
 * does not wait is told by the first look at the store that begins after it came: an earlier one may have missed what
 * the viewer has read. Thread-safe; nobody is called under its lock.
 */
final class Beginning {
    /** For those who wait. */
    private final Sinks.One<Boolean> later = Sinks.one();
    /** For those who do not wait and came before the newest look. */
    private Sinks.One<Boolean> now = Sinks.one();
    /** For those who do not wait and came after it. */
    private Sinks.One<Boolean> next = Sinks.one();

    /** How many viewers wait for it. */
    private int patient;
    /** Somebody is to be told by the next look. */
    private boolean expected;

    private boolean begun;
    private boolean failed;

    /**
     * Takes a viewer in; each {@link #leave}s with the same word.
     *
     * @param waits the execution may begin later
     * @return completes when the execution is there; fails when it is not there and this viewer does not wait or
     *     nobody does, or when there is no store. Null when the feed has failed: the viewer is not taken in and needs
     *     another
     */
    synchronized @Nullable Mono<Boolean> join(boolean waits) {
        if (failed) {
            return null;
        }
        if (waits) {
            patient++;
        }
        if (waits || begun) {
            return later.asMono();
        }
        expected = true;
        return next.asMono();
    }

    /** Lets a viewer go. */
    synchronized void leave(boolean waits) {
        patient -= waits ? 1 : 0;
    }

    /** A look at the store begins; it ends with {@link #begun} or {@link #missing}. */
    synchronized void looking() {
        if (begun || failed) {
            return;
        }
        now = next;
        next = Sinks.one();
        expected = false;
    }

    /** The execution is there. */
    void begun() {
        Sinks.One<Boolean> toldNow;
        Sinks.One<Boolean> toldNext;
        synchronized (this) {
            if (failed || begun) {
                return;
            }
            begun = true;
            toldNow = now;
            toldNext = next;
        }
        later.tryEmitValue(true);
        toldNow.tryEmitValue(true);
        toldNext.tryEmitValue(true);
    }

    /**
     * The look did not find the execution.
     *
     * @param mayCome it may be there later, for those who wait
     */
    void missing(Throwable failure, boolean mayCome) {
        Sinks.One<Boolean> told;
        boolean all;
        synchronized (this) {
            if (begun || failed) {
                return;
            }
            told = now;
            all = !expected && !(mayCome && patient > 0);
            failed = all;
        }
        told.tryEmitError(failure);
        if (all) {
            later.tryEmitError(failure);
        }
    }
}
