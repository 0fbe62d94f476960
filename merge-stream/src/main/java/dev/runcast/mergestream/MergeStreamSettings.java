package dev.runcast.mergestream;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How the merge runs.
 *
 * @param applicationId names the consumer group, the changelog and the transactions; instances that share it share the
 *     work
 * @param stateDirectory where the local copy of the state lies. Losing it costs the time to read the changelog again,
 *     nothing else
 * @param threads stream threads of this instance, 1 or greater; more than the topic has partitions are idle
 * @param commitInterval how often a transaction ends. The commit blocks the thread and live readers do not wait for
 *     it, so rather long than short, but less than 10 s; readers of committed records see a record after at most this
 * @param rocksdbMemory what all stores together may use for blocks and write buffers, 8 MB or greater
 * @param sessionTimeout after this without a sign of life another instance takes over; the broker's lower bound is 6 s
 * @param instanceId a name that is kept over restarts and lets an instance that was killed take up its work at once
 *     (static membership, KIP-345). Null means none, and a clean stop then leaves the group
 * @param closeTimeout the longest that a stop waits for the threads
 * @param expireInterval how often the state is searched for what may leave it
 * @param watchdog how silence is judged
 */
@ConfigurationProperties("runcast.merge")
public record MergeStreamSettings(
        @DefaultValue("runcast-merge") String applicationId,
        @DefaultValue("data/merge-stream") Path stateDirectory,
        @DefaultValue("2") int threads,
        @DefaultValue("1s") Duration commitInterval,
        @DefaultValue("64MB") DataSize rocksdbMemory,
        @DefaultValue("10s") Duration sessionTimeout,
        @Nullable String instanceId,
        @DefaultValue("20s") Duration closeTimeout,
        @DefaultValue("5s") Duration expireInterval,
        @DefaultValue WatchdogSettings watchdog) {
    private static final DataSize LEAST_MEMORY = DataSize.ofMegabytes(8);

    /** Kafka Streams' own for exactly once: how long an instance that died may hold up readers of committed records. */
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(10);

    /** Checks the ranges. */
    public MergeStreamSettings {
        if (applicationId.isBlank()) {
            throw new IllegalArgumentException("runcast.merge.application-id: empty (expected: a name)");
        }
        if (threads < 1) {
            throw new IllegalArgumentException("runcast.merge.threads: " + threads + " (expected: 1 or greater)");
        }
        if (rocksdbMemory.compareTo(LEAST_MEMORY) < 0) {
            throw new IllegalArgumentException(
                    "runcast.merge.rocksdb-memory: " + rocksdbMemory + " (expected: 8MB or greater)");
        }
        positive("commit-interval", commitInterval);
        if (commitInterval.compareTo(TRANSACTION_TIMEOUT) >= 0) {
            throw new IllegalArgumentException("runcast.merge.commit-interval: " + commitInterval
                    + " (expected: less than " + TRANSACTION_TIMEOUT + ")");
        }
        positive("session-timeout", sessionTimeout);
        positive("close-timeout", closeTimeout);
        positive("expire-interval", expireInterval);
    }

    private static void positive(String name, Duration value) {
        if (value.toMillis() < 1) {
            throw new IllegalArgumentException(
                    "runcast.merge." + name + ": " + value + " (expected: a millisecond or longer)");
        }
    }

    /**
     * How silence is judged.
     *
     * @param enabled whether it is judged at all
     * @param stalledAfter an execution whose runner neither reports nor sends heartbeats for this long is stalled;
     *     that is taken back when news come
     * @param lostAfter an execution without a workflow that is silent for this long ends as FAILED
     * @param interval how often it is looked after, at most {@code stalledAfter}
     */
    public record WatchdogSettings(
            @DefaultValue("true") boolean enabled,
            @DefaultValue("60s") Duration stalledAfter,
            @DefaultValue("24h") Duration lostAfter,
            @DefaultValue("5s") Duration interval) {
        /** Checks the ranges. */
        public WatchdogSettings {
            if (interval.toMillis() < 1) {
                throw new IllegalArgumentException(
                        "runcast.merge.watchdog.interval: " + interval + " (expected: a millisecond or longer)");
            }
            if (stalledAfter.compareTo(interval) < 0) {
                throw new IllegalArgumentException("runcast.merge.watchdog.stalled-after: " + stalledAfter
                        + " (expected: the interval, " + interval + ", or longer)");
            }
            if (lostAfter.compareTo(stalledAfter) <= 0) {
                throw new IllegalArgumentException("runcast.merge.watchdog.lost-after: " + lostAfter
                        + " (expected: longer than stalled-after, " + stalledAfter + ")");
            }
        }
    }
}
