package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ReporterConfigTest {
    private final ReporterConfig config = ReporterConfig.of("localhost:8080");

    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(config.tls()).isFalse();
        assertThat(config.token().get()).isNull();
        assertThat(config.memoryBytes()).isEqualTo(16 * 1024 * 1024);
        assertThat(config.minCadence()).isEqualTo(Duration.ofMillis(100));
        assertThat(config.maxCadence()).isEqualTo(Duration.ofMillis(500));
        assertThat(config.heartbeatInterval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.minBackoff()).isEqualTo(Duration.ofMillis(100));
        assertThat(config.maxBackoff()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.connectTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.ackTimeout()).isEqualTo(Duration.ofSeconds(30));
        assertThat(config.flushTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(config.closeTimeout()).isEqualTo(Duration.ofSeconds(10));
    }

    @Test
    void aWrongValueIsNamedWithWhatWasExpected() {
        assertThatThrownBy(() -> ReporterConfig.of(" ")).hasMessage("target: \" \" (expected: such as localhost:8080)");
        assertThatThrownBy(() -> config.withMemoryBytes(1000))
                .hasMessage("memoryBytes: 1000 (expected: 1048576 or more)");
        assertThatThrownBy(() -> config.withCadence(Duration.ofMillis(500), Duration.ofMillis(100)))
                .hasMessage("maxCadence: PT0.1S (expected: PT0.5S to PT1M)");
        assertThatThrownBy(() -> config.withHeartbeatInterval(Duration.ZERO))
                .hasMessage("heartbeatInterval: PT0S (expected: PT0.1S to PT1H)");
        assertThatThrownBy(() -> config.withBackoff(Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .hasMessage("minBackoff: PT2S (expected: PT0.001S to PT1S)");
        assertThatThrownBy(() -> config.withDeadlines(Duration.ofSeconds(-1), Duration.ZERO))
                .hasMessage("flushTimeout: PT-1S (expected: PT0S to PT24H)");
    }
}
