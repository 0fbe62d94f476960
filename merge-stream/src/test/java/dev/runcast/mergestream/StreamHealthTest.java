package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.topics.KafkaSettings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.health.contributor.Status;

class StreamHealthTest {
    private final MergeStreams notStarted = new MergeStreams(
            new KafkaSettings("localhost:1", Map.of(), 4, 1, Duration.ofSeconds(1)),
            MergeDriver.settings(Path.of("unused"), "unused"),
            InstantSource.system(),
            new SimpleMeterRegistry());

    @Test
    void whatHasNotStartedYetIsAliveButNotReady() {
        assertThat(StreamHealth.liveness(notStarted, 2).health().getStatus()).isEqualTo(Status.UP);
        assertThat(StreamHealth.readiness(notStarted).health().getStatus()).isEqualTo(Status.OUT_OF_SERVICE);
    }

    @Test
    void stoppingWhatHasNotStartedDoesNothing() {
        notStarted.stop();

        assertThat(notStarted.isRunning()).isFalse();
    }
}
