package dev.runcast.worker.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.worker.supervise.UpdateAppender;
import dev.runcast.workflow.WorkflowIds;
import io.grpc.Status;
import io.temporal.client.WorkflowClientOptions;
import io.temporal.common.interceptors.WorkflowClientCallsInterceptor;
import io.temporal.common.interceptors.WorkflowClientCallsInterceptorBase;
import io.temporal.common.interceptors.WorkflowClientInterceptorBase;
import io.temporal.testing.TestEnvironmentOptions;
import io.temporal.testing.TestWorkflowEnvironment;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BridgeTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochMilli(10_000));

    /** What was asked of Temporal, in order. */
    private final List<String> asked = new ArrayList<>();

    private int failures;
    private TestWorkflowEnvironment temporal;
    private UpdateAppender appender;
    private Bridge bridge;

    @BeforeEach
    void open() {
        temporal = TestWorkflowEnvironment.newInstance(TestEnvironmentOptions.newBuilder()
                .setWorkflowClientOptions(WorkflowClientOptions.newBuilder()
                        .setInterceptors(new Recording())
                        .build())
                .build());
        BridgeSettings settings = settings();
        // Nothing is appended here: no broker is needed.
        appender = new UpdateAppender(new ClientSettings("127.0.0.1:1"), CLOCK);
        bridge = new Bridge(
                new Workflows(
                        temporal.getWorkflowClient(),
                        settings,
                        "workflows",
                        "log",
                        new SearchAttributeNames(temporal.getWorkflowClient())),
                new LiveExecutions(CLOCK),
                appender,
                Runnable::run,
                settings.lateAfter(),
                CLOCK);
    }

    @AfterEach
    void close() {
        appender.close();
        temporal.close();
    }

    @Test
    void whoWasDeclaredFirstBeginsFirstWhateverItsPartition() {
        bridge.onMessage(List.of(
                declared("a", 0, 1_000), declared("c", 0, 3_000), declared("b", 1, 2_000), declared("d", 1, 4_000)));
        assertThat(asked).containsExactly("start a", "start b", "start c", "start d");
    }

    @Test
    void pollThatFailsIsAskedForAgainFromItsFirst() {
        failures = 1;
        List<ConsumerRecord<byte[], byte[]>> poll = List.of(declared("a", 0, 1_000), declared("b", 1, 2_000));
        assertThatThrownBy(() -> bridge.onMessage(poll)).hasRootCauseMessage("UNAVAILABLE");
        assertThat(asked).containsExactly("start a");
        bridge.onMessage(poll);
        assertThat(asked).containsExactly("start a", "start a", "start b");
    }

    @Test
    void whatIsReadAgainStartsNothingTwice() {
        bridge.onMessage(List.of(declared("a", 0, 1_000)));
        bridge.onMessage(List.of(declared("a", 0, 1_000), declared("b", 0, 2_000)));
        assertThat(asked).containsExactly("start a", "start a", "start b");
        assertThat(temporal.getWorkflowClient()
                        .fetchHistory(WorkflowIds.of("acme", "a"))
                        .getEvents())
                .hasSizeBetween(1, 2);
    }

    private final class Recording extends WorkflowClientInterceptorBase {
        @Override
        public WorkflowClientCallsInterceptor workflowClientCallsInterceptor(WorkflowClientCallsInterceptor next) {
            return new WorkflowClientCallsInterceptorBase(next) {
                @Override
                public WorkflowStartOutput start(WorkflowStartInput input) {
                    String id = input.getWorkflowId();
                    asked.add("start " + id.substring(id.lastIndexOf('/') + 1));
                    if (failures > 0) {
                        failures--;
                        throw Status.UNAVAILABLE.asRuntimeException();
                    }
                    return super.start(input);
                }
            };
        }
    }

    private static ConsumerRecord<byte[], byte[]> declared(String id, int partition, long millis) {
        ChangeBatch batch = ChangeBatch.newBuilder()
                .setTenant("acme")
                .setExecutionId(id)
                .addChanges(Change.newBuilder()
                        .setFirstVersion(1)
                        .setVersion(1)
                        .setExecution(Execution.newBuilder()
                                .setTenant("acme")
                                .setExecutionId(id)
                                .setVersion(1)
                                .setPhase(Phase.PHASE_PENDING)
                                .setSpec(ExecutionSpec.newBuilder()
                                        .setAgent("echo")
                                        .setWorkflowId(WorkflowIds.of("acme", id)))))
                .build();
        byte[] value = batch.toByteArray();
        return new ConsumerRecord<>(
                Topic.CHANGES.topicName(),
                partition,
                millis,
                millis,
                TimestampType.CREATE_TIME,
                -1,
                value.length,
                RecordCodec.CHANGES.keyOf(batch).toString().getBytes(StandardCharsets.UTF_8),
                value,
                new RecordHeaders(),
                Optional.empty());
    }

    private static BridgeSettings settings() {
        Duration second = Duration.ofSeconds(1);
        return new BridgeSettings(
                "bridge",
                1,
                1,
                second,
                Duration.ofMinutes(1),
                second,
                second,
                second,
                1,
                second,
                second,
                second,
                4000,
                "");
    }
}
