package dev.runcast.runner;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.TimeUnit;

/**
 * The circuit breaker around opening a stream: a door that is down is left alone for a while, whatever the backoff drew.
 * An attempt succeeds when the door says something on its stream, or keeps it: a door that takes streams only to end
 * them is no better than none. Belongs to the sender's thread.
 */
final class Breaker {
    private static final int ATTEMPTS = 10;

    /** Any failure will do; which one it was has been told already. */
    private static final Exception NO_STREAM = new IllegalStateException("no stream");

    private final CircuitBreaker breaker;
    private final long waitNanos;
    private final SenderClock clock = new SenderClock();
    private long openUntil;

    Breaker(ReporterConfig config, Counters counters, ReporterListener listener, Callbacks callbacks) {
        waitNanos = config.maxBackoff().toNanos();
        breaker = CircuitBreaker.of(
                "runcast-stream",
                CircuitBreakerConfig.custom()
                        .slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(ATTEMPTS)
                        .minimumNumberOfCalls(ATTEMPTS)
                        .failureRateThreshold(100)
                        .waitDurationInOpenState(config.maxBackoff())
                        .permittedNumberOfCallsInHalfOpenState(1)
                        .clock(clock)
                        .build());
        breaker.getEventPublisher().onStateTransition(event -> {
            BreakerState state =
                    switch (event.getStateTransition().getToState()) {
                        case OPEN, FORCED_OPEN -> BreakerState.OPEN;
                        case HALF_OPEN -> BreakerState.HALF_OPEN;
                        case CLOSED, DISABLED, METRICS_ONLY -> BreakerState.CLOSED;
                    };
            if (state == BreakerState.OPEN) {
                openUntil = clock.nanos + waitNanos;
            }
            counters.breaker = state;
            callbacks.call(() -> listener.breakerChanged(state));
        });
    }

    /** Whether an attempt may be made; then its outcome must be told. */
    boolean permits(long now) {
        clock.nanos = now;
        return breaker.tryAcquirePermission();
    }

    /** When to ask again after a no. */
    long askAgain(long now) {
        return Math.max(openUntil, now) + TimeUnit.MILLISECONDS.toNanos(1);
    }

    void worked(long now) {
        clock.nanos = now;
        breaker.onSuccess(0, TimeUnit.NANOSECONDS);
    }

    void failed(long now) {
        clock.nanos = now;
        breaker.onError(0, TimeUnit.NANOSECONDS, NO_STREAM);
    }

    /** The sender's time as the breaker wants it. */
    private static final class SenderClock extends Clock {
        private volatile long nanos;

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            return this;
        }

        @Override
        public Instant instant() {
            return Instant.ofEpochSecond(0, nanos);
        }
    }
}
