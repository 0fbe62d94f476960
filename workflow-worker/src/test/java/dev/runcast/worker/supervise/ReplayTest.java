package dev.runcast.worker.supervise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.worker.RecordedHistories;
import io.temporal.testing.WorkflowReplayer;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The workflow as it now is decides as it did when these histories were made; else running ones would break. */
class ReplayTest {
    static List<Path> histories() {
        return RecordedHistories.all();
    }

    @ParameterizedTest
    @MethodSource("histories")
    void theWorkflowDecidesAsItDid(Path history) throws Exception {
        WorkflowReplayer.replayWorkflowExecution(history.toFile(), InvokeAgentExecutionWorkflowImpl.class);
    }

    @Test
    void everyPathHasAHistory() {
        assertThat(histories()).hasSizeGreaterThanOrEqualTo(20);
    }
}
