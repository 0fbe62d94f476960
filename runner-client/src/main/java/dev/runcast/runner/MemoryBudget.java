package dev.runcast.runner;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the bytes that wait, over all executions of a reporter, against one bound. Thread-safe.
 *
 * <p>Three lines: at {@link #pressed()} the sender begins to make room; at the bound {@link #tryReserve} refuses; only
 * what must never be lost (a final status, the note that something was left out) goes beyond it, through
 * {@link #reserve}.
 */
final class MemoryBudget {
    private final long bound;
    private final String reached;
    private final AtomicLong used = new AtomicLong();

    MemoryBudget(long bound) {
        this.bound = bound;
        this.reached = "the reporter's memory bound of " + bound + " bytes is reached";
    }

    /** Takes the bytes if the bound allows it; less than none is given back. */
    boolean tryReserve(long bytes) {
        // Optimistic: what a loser adds for a moment can only make a neighbour refuse a little early.
        if (used.addAndGet(bytes) <= bound || bytes <= 0) {
            return true;
        }
        used.addAndGet(-bytes);
        return false;
    }

    /** Takes the bytes, beyond the bound if need be. */
    void reserve(long bytes) {
        used.addAndGet(bytes);
    }

    void release(long bytes) {
        used.addAndGet(-bytes);
    }

    long used() {
        return used.get();
    }

    long bound() {
        return bound;
    }

    /** For a person: why something was left out. */
    String reached() {
        return reached;
    }

    /** Whether 7/8 of the bound are taken. */
    boolean pressed() {
        return used.get() > bound - bound / 8;
    }

    /** How much must be given back to come down to 3/4 of the bound; 0 or less means nothing. */
    long excess() {
        return used.get() - (bound - bound / 4);
    }
}
