package dev.runcast.api.watch;

import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Whether a feed's execution is there, for viewers who need to know that it is, and for those who wait until it is.
 * Thread-safe; nobody is called under its lock.
 */
final class Beginning {
    private final Sinks.One<Boolean> ready = Sinks.one();
    /** How many viewers wait for it. */
    private int patient;

    private boolean begun;
    private boolean failed;

    /** Completes when the execution is there; fails when there is none and nobody waits, or when there is no store. */
    Mono<Boolean> ready() {
        return ready.asMono();
    }

    /**
     * Takes a viewer in; each {@link #leave}s with the same word.
     *
     * @param waits the execution may begin later
     * @return whether it may be ready some time; otherwise the viewer is not taken in and needs another feed
     */
    synchronized boolean join(boolean waits) {
        if (failed) {
            return false;
        }
        patient += waits ? 1 : 0;
        return true;
    }

    /** Lets a viewer go. */
    synchronized void leave(boolean waits) {
        patient -= waits ? 1 : 0;
    }

    /** The execution is there. */
    void begun() {
        synchronized (this) {
            if (failed || begun) {
                return;
            }
            begun = true;
        }
        ready.tryEmitValue(true);
    }

    /**
     * The execution cannot be found.
     *
     * @param mayCome it may be there later, for those who wait
     */
    void missing(Throwable failure, boolean mayCome) {
        synchronized (this) {
            if (begun || (mayCome && patient > 0)) {
                return;
            }
            failed = true;
        }
        ready.tryEmitError(failure);
    }

    /** Nothing is to come any more. */
    void close() {
        ready.tryEmitEmpty();
    }
}
