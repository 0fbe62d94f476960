package dev.runcast.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

/** Executions from their declaration to their end, one process running workflows and agents. */
@Timeout(180)
class SupervisionIT {
    @TempDir
    static Path folder;

    private static Pipeline pipeline;
    private static ConfigurableApplicationContext worker;

    @BeforeAll
    static void start() {
        pipeline = new Pipeline(folder);
        worker = pipeline.startWorker();
    }

    @AfterAll
    static void stop() {
        worker.close();
        pipeline.close();
    }

    @Test
    void aDeclaredExecutionIsRunToItsEnd() {
        pipeline.create("hello", "echo", "Hello, world");
        Execution ended = pipeline.awaitPhase("hello", Phase.PHASE_COMPLETED);
        assertThat(ended.getAttempts()).isEqualTo(1);
        assertThat(ended.hasLateOutcome()).isFalse();
    }
}
