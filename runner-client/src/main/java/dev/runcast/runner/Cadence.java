package dev.runcast.runner;

import java.time.Duration;

/**
 * How often appended text is sent: seldom enough that the pipeline keeps up. The interval grows by half when an ack
 * takes longer than it or the stream does not take what is due, and shrinks by a fifth when acks come within half of it.
 * Not thread-safe.
 */
final class Cadence {
    private final long minNanos;
    private final long maxNanos;
    private long interval;

    Cadence(Duration min, Duration max) {
        minNanos = min.toNanos();
        maxNanos = max.toNanos();
        interval = minNanos;
    }

    /** The time between two sends of one execution's text, in nanoseconds. */
    long interval() {
        return interval;
    }

    /** An ack came so many nanoseconds after its update was sent. */
    void acked(long nanos) {
        if (nanos > interval) {
            slower();
        } else if (nanos < interval / 2) {
            interval = Math.max(minNanos, interval - interval / 5);
        }
    }

    /** Something was due and the stream did not take it, or the server refused for want of room. */
    void slower() {
        interval = Math.min(maxNanos, interval + interval / 2);
    }
}
