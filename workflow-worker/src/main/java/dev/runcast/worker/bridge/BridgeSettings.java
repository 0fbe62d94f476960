package dev.runcast.worker.bridge;

import dev.runcast.workflow.SupervisionPolicy;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * How executions are started and supervised.
 *
 * @param group consumer group of the change feed
 * @param concurrency threads that read the feed, 1 or greater; more than the topic has partitions are idle
 * @param callers calls to Temporal under way at once, 1 or greater
 * @param maxRetryInterval the longest wait between two tries while Temporal does not answer
 * @param lateAfter a declaration that is read later than this is only followed when the execution has not ended since
 * @param reconcileInterval how often executions are held against their workflows
 * @param startToClose the longest that one attempt may take
 * @param heartbeatTimeout silence of a worker after which it counts as dead, 1 s to 1 min
 * @param attempts attempts before a run fails for want of a worker that lives, 1 or greater
 * @param retryInterval wait before the second attempt; doubles up to 30 s
 * @param stopTimeout how long an attempt that was told to stop may take to do so
 * @param cancelGrace how long an agent may take to say CANCELLED itself
 * @param historyEvents a workflow goes on in a new run when its history is longer, 40 or more
 * @param webUrl where Temporal's web interface is, such as {@code http://localhost:8233}; empty for no links
 */
@ConfigurationProperties("runcast.workflow")
public record BridgeSettings(
        @DefaultValue("runcast-bridge") String group,
        @DefaultValue("4") int concurrency,
        @DefaultValue("16") int callers,
        @DefaultValue("5s") Duration maxRetryInterval,
        @DefaultValue("60s") Duration lateAfter,
        @DefaultValue("30s") Duration reconcileInterval,
        @DefaultValue("24h") Duration startToClose,
        @DefaultValue("30s") Duration heartbeatTimeout,
        @DefaultValue("5") int attempts,
        @DefaultValue("1s") Duration retryInterval,
        @DefaultValue("60s") Duration stopTimeout,
        @DefaultValue("1s") Duration cancelGrace,
        @DefaultValue("4000") long historyEvents,
        @DefaultValue("") String webUrl) {
    /** @throws IllegalArgumentException when a value is out of range */
    public BridgeSettings {
        if (group.isBlank()) {
            throw new IllegalArgumentException("runcast.workflow.group: empty (expected: a name)");
        }
        atLeast("concurrency", concurrency, 1);
        atLeast("callers", callers, 1);
        atLeast("attempts", attempts, 1);
        atLeast("history-events", historyEvents, 40);
        between("max-retry-interval", maxRetryInterval, Duration.ofMillis(1), Duration.ofMinutes(1));
        between("late-after", lateAfter, Duration.ofMillis(1), Duration.ofDays(1));
        between("reconcile-interval", reconcileInterval, Duration.ofMillis(100), Duration.ofDays(1));
        between("start-to-close", startToClose, Duration.ofSeconds(1), Duration.ofDays(3650));
        between("heartbeat-timeout", heartbeatTimeout, Duration.ofSeconds(1), Duration.ofMinutes(1));
        between("retry-interval", retryInterval, Duration.ofMillis(1), Duration.ofSeconds(30));
        between("stop-timeout", stopTimeout, Duration.ofMillis(1), Duration.ofHours(1));
        between("cancel-grace", cancelGrace, Duration.ofMillis(1), Duration.ofMinutes(1));
        if (!webUrl.isEmpty() && !webUrl.matches("https?://.+")) {
            throw new IllegalArgumentException(
                    "runcast.workflow.web-url: " + webUrl + " (expected: http://… or https://…)");
        }
    }

    /** As it travels with a request. */
    SupervisionPolicy policy(String logQueue, String pageUrl) {
        return new SupervisionPolicy(
                startToClose.toMillis(),
                heartbeatTimeout.toMillis(),
                attempts,
                retryInterval.toMillis(),
                stopTimeout.toMillis(),
                cancelGrace.toMillis(),
                historyEvents,
                logQueue,
                pageUrl);
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "runcast.workflow.%s: %d (expected: %d or greater)".formatted(name, value, least));
        }
    }

    private static void between(String name, Duration value, Duration least, Duration most) {
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    "runcast.workflow.%s: %s (expected: %s to %s)".formatted(name, value, least, most));
        }
    }
}
