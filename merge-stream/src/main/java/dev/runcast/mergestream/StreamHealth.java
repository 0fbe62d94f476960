package dev.runcast.mergestream;

import org.apache.kafka.streams.KafkaStreams.State;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;

/**
 * Two answers: whether the merge is alive (else restarting helps), and whether it is ready (else waiting does).
 */
final class StreamHealth {
    private StreamHealth() {}

    /** DOWN when a stream thread is dead or the whole has given up. */
    static HealthIndicator liveness(MergeStreams streams, int threads) {
        return () -> {
            State state = streams.state();
            int live = streams.liveThreads();
            boolean alive =
                    switch (state) {
                        // Begins or ends as it should; its threads come and go.
                        case CREATED, PENDING_SHUTDOWN -> true;
                        case REBALANCING, RUNNING -> live >= threads;
                        case NOT_RUNNING, PENDING_ERROR, ERROR -> false;
                    };
            return (alive ? Health.up() : Health.down())
                    .withDetail("state", state)
                    .withDetail("liveThreads", live)
                    .withDetail("threads", threads)
                    .build();
        };
    }

    /** OUT_OF_SERVICE while partitions move or the state is read back. */
    static HealthIndicator readiness(MergeStreams streams) {
        return () -> {
            State state = streams.state();
            return (state == State.RUNNING ? Health.up() : Health.outOfService())
                    .withDetail("state", state)
                    .build();
        };
    }
}
