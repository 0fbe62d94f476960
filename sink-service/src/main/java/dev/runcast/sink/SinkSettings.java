package dev.runcast.sink;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How the sink reads.
 *
 * @param mode whether it serves, or compares or rebuilds once and ends
 * @param group the consumer groups are called this with {@code -mongo}, {@code -rejected} and {@code -redis}
 * @param concurrency threads of this instance for each store, 1 or greater; more than the topic has partitions are idle
 * @param maxPollRecords how many records are folded and written at once at most, 1 or greater
 * @param maxFetch how many bytes a fetch brings about at most; one record of 4 MiB always comes
 * @param maxLiveLag what rings later than this is of no use: the Redis side then goes on at the feed's end
 * @param maxRetryInterval the longest wait between two tries while a store is down
 */
@ConfigurationProperties("runcast.sink")
public record SinkSettings(
        @DefaultValue("serve") Mode mode,
        @DefaultValue("runcast-sink") String group,
        @DefaultValue("1") int concurrency,
        @DefaultValue("1000") int maxPollRecords,
        @DefaultValue("16MB") DataSize maxFetch,
        @DefaultValue("5s") Duration maxLiveLag,
        @DefaultValue("5s") Duration maxRetryInterval) {
    /** What the service does. */
    public enum Mode {
        /** Writes the feeds into the stores until it is stopped. */
        SERVE,
        /** Compares the store with the log and ends: with 0 when all is equal, with 3 when not. */
        VERIFY,
        /** Replaces what differs from the log and ends. */
        REBUILD
    }

    /** @throws IllegalArgumentException when a value is out of range */
    public SinkSettings {
        if (group.isBlank()) {
            throw new IllegalArgumentException("runcast.sink.group: empty (expected: a name)");
        }
        atLeastOne("concurrency", concurrency);
        atLeastOne("max-poll-records", maxPollRecords);
        if (maxFetch.toBytes() < 1024) {
            throw new IllegalArgumentException(
                    "runcast.sink.max-fetch: %s (expected: 1KB or more)".formatted(maxFetch));
        }
        positive("max-live-lag", maxLiveLag);
        positive("max-retry-interval", maxRetryInterval);
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException("runcast.sink.%s: %d (expected: 1 or greater)".formatted(name, value));
        }
    }

    private static void positive(String name, Duration value) {
        if (value.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "runcast.sink.%s: %s (expected: a millisecond or longer)".formatted(name, value));
        }
    }
}
