package dev.runcast.runner;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", 2015): the n-th delay is random
 * between 0 and the first bound doubled n times. Not thread-safe.
 */
final class Backoff {
    private static final int MOST_DOUBLINGS = 30;

    private final long minNanos;
    private final long maxNanos;
    private final RandomGenerator random;
    private int failures;

    Backoff(Duration min, Duration max, RandomGenerator random) {
        this.minNanos = min.toNanos();
        this.maxNanos = max.toNanos();
        this.random = random;
    }

    /** The next delay, in nanoseconds. */
    long next() {
        long bound = Math.min(maxNanos, minNanos << Math.min(failures, MOST_DOUBLINGS));
        // The shift may have lost its highest bits.
        if (bound < minNanos) {
            bound = maxNanos;
        }
        failures = Math.min(failures + 1, MOST_DOUBLINGS);
        return random.nextLong(bound + 1);
    }

    /** A delay for what will not heal by itself soon: the longest, less up to half of it. */
    long slow() {
        return maxNanos - random.nextLong(maxNanos / 2 + 1);
    }

    /** It went well. */
    void reset() {
        failures = 0;
    }
}
