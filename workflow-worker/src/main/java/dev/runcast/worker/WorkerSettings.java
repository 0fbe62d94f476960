package dev.runcast.worker;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * What this process does, and on which task queue.
 *
 * @param taskQueue where workflows and the activities of agents wait for workers
 * @param workflows whether it runs workflows, the bridge and the reconciliation
 * @param activities whether it runs agents
 * @param slots agents that run here at once, 1 or greater
 * @param heartbeatThrottle heartbeats are sent no more often, and so a cancel arrives no sooner: at most 2 s
 * @param stopTimeout how long agents may go on when the process stops
 */
@ConfigurationProperties("runcast.worker")
public record WorkerSettings(
        @DefaultValue("execution") String taskQueue,
        @DefaultValue("true") boolean workflows,
        @DefaultValue("true") boolean activities,
        @DefaultValue("20") int slots,
        @DefaultValue("1s") Duration heartbeatThrottle,
        @DefaultValue("5s") Duration stopTimeout) {
    /** @throws IllegalArgumentException when a value is out of range */
    public WorkerSettings {
        if (taskQueue.isBlank() || taskQueue.length() > 200) {
            throw new IllegalArgumentException(
                    "runcast.worker.task-queue: \"" + taskQueue + "\" (expected: 1 to 200 characters)");
        }
        if (slots < 1) {
            throw new IllegalArgumentException("runcast.worker.slots: " + slots + " (expected: 1 or greater)");
        }
        if (heartbeatThrottle.toMillis() < 1 || heartbeatThrottle.compareTo(Duration.ofSeconds(2)) > 0) {
            throw new IllegalArgumentException(
                    "runcast.worker.heartbeat-throttle: " + heartbeatThrottle + " (expected: 1 ms to 2 s)");
        }
        if (stopTimeout.isNegative()) {
            throw new IllegalArgumentException(
                    "runcast.worker.stop-timeout: " + stopTimeout + " (expected: not negative)");
        }
    }

    /** The queue of the workflow's own activities, which only workflow workers serve. */
    String logQueue() {
        return taskQueue + "-log";
    }
}
