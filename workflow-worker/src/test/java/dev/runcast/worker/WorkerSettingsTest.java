package dev.runcast.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class WorkerSettingsTest {
    @Test
    void defaultsAreTheDocumentedOnes() {
        assertThat(bound(Map.of()))
                .isEqualTo(
                        new WorkerSettings("execution", true, true, 20, Duration.ofSeconds(1), Duration.ofSeconds(5)));
    }

    @Test
    void aThrottleThatHoldsCancelsBackIsRefused() {
        assertThatThrownBy(() -> bound(Map.of("runcast.worker.heartbeat-throttle", "3s")))
                .rootCause()
                .hasMessage("runcast.worker.heartbeat-throttle: PT3S (expected: 1 ms to 2 s)");
        assertThatThrownBy(() -> bound(Map.of("runcast.worker.slots", "0")))
                .rootCause()
                .hasMessage("runcast.worker.slots: 0 (expected: 1 or greater)");
    }

    private static WorkerSettings bound(Map<String, String> properties) {
        return new Binder(new MapConfigurationPropertySource(properties))
                .bindOrCreate("runcast.worker", WorkerSettings.class);
    }
}
