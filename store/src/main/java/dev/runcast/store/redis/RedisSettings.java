package dev.runcast.store.redis;

import dev.runcast.store.RingBuffer;
import java.time.Duration;

/**
 * Where the bell hangs.
 *
 * @param uri {@code redis://…} or {@code rediss://…}. Never shown, since it may hold a password
 * @param bufferedRings how many rings wait for a slow listener before they become one Fetch, 1 or greater
 * @param requestQueue how many commands wait for an answer, or for a connection, before more are refused, 1 or greater
 * @param timeout how long a command, or a connection, may take
 */
public record RedisSettings(String uri, int bufferedRings, int requestQueue, Duration timeout) {
    /** @throws IllegalArgumentException when a value has the wrong form or is out of range */
    public RedisSettings {
        if (!uri.startsWith("redis://") && !uri.startsWith("rediss://") && !uri.startsWith("redis-sentinel://")) {
            throw new IllegalArgumentException("Redis URI: another form (expected: redis://… or rediss://…)");
        }
        if (bufferedRings < 1) {
            throw new IllegalArgumentException("bufferedRings: %d (expected: 1 or greater)".formatted(bufferedRings));
        }
        if (requestQueue < 1) {
            throw new IllegalArgumentException("requestQueue: %d (expected: 1 or greater)".formatted(requestQueue));
        }
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout: %s (expected: longer than 0)".formatted(timeout));
        }
    }

    /** Defaults: 256 rings, 10,000 commands, 5 seconds. */
    public static RedisSettings of(String uri) {
        return new RedisSettings(uri, RingBuffer.DEFAULT_CAPACITY, 10_000, Duration.ofSeconds(5));
    }

    @Override
    public String toString() {
        return "RedisSettings[bufferedRings=%d, requestQueue=%d, timeout=%s]"
                .formatted(bufferedRings, requestQueue, timeout);
    }
}
