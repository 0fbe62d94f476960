package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A reporter's numbers in a registry. */
class ReporterMetersTest {
    private static final long EPOCH = 1_767_225_600_000L;

    @Test
    void whatIsSentAndAckedIsCountedAndTimedWhileTheReporterIsOpen() {
        SimpleMeterRegistry registry = new SimpleMeterRegistry();
        try (FakeIngest ingest = new FakeIngest()) {
            StatusReporter reporter =
                    StatusReporter.open(ReporterConfig.of(ingest.target()).withMeters(registry));
            reporter.execution("run-1", EPOCH).completed();
            assertThat(reporter.flush(Duration.ofSeconds(20)).complete()).isTrue();
            assertThat(registry.get("runcast.reporter.updates.acked")
                            .functionCounter()
                            .count())
                    .isEqualTo(1);
            assertThat(registry.get("runcast.reporter.ack.latency").timer().count())
                    .isEqualTo(1);
            assertThat(registry.get("runcast.reporter.unacked.bytes").gauge().value())
                    .isZero();
            assertThat(registry.get("runcast.reporter.breaker.state")
                            .tag("state", "closed")
                            .gauge()
                            .value())
                    .isEqualTo(1);
            reporter.close();
            assertThat(registry.getMeters()).isEmpty();
        }
    }
}
