package dev.runcast.sink;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;

/** Of each feed two answers: whether its reader is alive (else restarting helps), and whether it gets on. */
final class SinkHealth {
    private SinkHealth() {}

    /** DOWN when a reader's thread is dead. */
    static HealthIndicator liveness(AbstractMessageListenerContainer<?, ?> container) {
        return () -> (container.isRunning() && container.isInExpectedState() ? Health.up() : Health.down())
                .withDetail("running", container.isRunning())
                .build();
    }

    /** OUT_OF_SERVICE while what is read cannot be passed on. It is tried again all the time. */
    static HealthIndicator readiness(FeedProgress progress) {
        return () -> {
            FeedProgress.Failing failing = progress.failing();
            Health.Builder health = failing == null
                    ? Health.up()
                    : Health.outOfService()
                            .withDetail("since", failing.since().toString())
                            .withDetail("error", failing.error());
            return health.withDetail("lagSeconds", progress.lag().toMillis() / 1000.0)
                    .build();
        };
    }
}
