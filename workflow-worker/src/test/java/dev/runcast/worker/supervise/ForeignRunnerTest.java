package dev.runcast.worker.supervise;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.workflow.ApprovalDecision;
import dev.runcast.workflow.ExecutionNews;
import dev.runcast.workflow.ExecutionRequest;
import dev.runcast.workflow.ExecutionResult;
import dev.runcast.workflow.FailureDetail;
import dev.runcast.workflow.InvokeAgentExecutionWorkflow;
import dev.runcast.workflow.SupervisionPolicy;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.testing.TestWorkflowEnvironment;
import io.temporal.worker.Worker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The workflow over activities that somebody wrote in another language: what comes back is whatever JSON they wrote. */
@Timeout(60)
class ForeignRunnerTest {
    private final TestWorkflowEnvironment temporal = TestWorkflowEnvironment.newInstance();
    private final List<UpdateToAppend> said = Collections.synchronizedList(new ArrayList<>());
    private final List<Map<String, Object>> attempts = Collections.synchronizedList(new ArrayList<>());

    private volatile boolean diesBehindOutcome;
    private int heartbeatMillis = 30_000;

    /** The activities as their names and JSON alone. */
    @ActivityInterface
    public interface Foreign {
        /** The first. */
        @ActivityMethod(name = "EnsureThread")
        @Nullable
        Map<String, Object> ensureThread(Map<String, Object> request);

        /** The second. */
        @ActivityMethod(name = "ExecuteGraphton")
        @Nullable
        Map<String, Object> executeGraphton(Map<String, Object> request);
    }

    @AfterEach
    void close() {
        temporal.close();
    }

    @Test
    void decisionIsGivenAgainWhenTheAttemptThatHadItWasStopped() throws Exception {
        InvokeAgentExecutionWorkflow workflow = start(
                Map.of("thread_id", "t"),
                List.of(
                        Map.of("status", "WAITING", "epoch", 10, "durable", false, "waiting_for", List.of("a1")),
                        Map.of("status", "STOPPED", "epoch", 11, "durable", false),
                        Map.of("status", "COMPLETED", "epoch", 12, "durable", true)));
        WorkflowStub started = WorkflowStub.fromTyped(workflow);
        await().until(() -> attempts.size() == 1);
        workflow.executionChanged(new ExecutionNews(
                5,
                "",
                "",
                "",
                FailureDetail.NONE,
                false,
                0,
                List.of(new ApprovalDecision("a1", "APPROVE", null, "", "ann"))));

        assertThat(started.getResult(30, TimeUnit.SECONDS, ExecutionResult.class)
                        .phase())
                .isEqualTo("COMPLETED");
        assertThat(attempts).hasSize(3);
        assertThat(attempts.get(1).get("decisions").toString()).contains("a1");
        assertThat(attempts.get(2).get("decisions").toString()).contains("a1");
    }

    static Stream<Arguments> results() {
        Map<String, Object> thread = Map.of("thread_id", "t");
        return Stream.of(
                Arguments.of("nothing at all", thread, null),
                Arguments.of("no status", thread, Map.of("epoch", 10)),
                Arguments.of("a status in lower case", thread, Map.of("status", "completed", "epoch", 10)),
                Arguments.of("a closed run without outcome", thread, Map.of("status", "CLOSED", "epoch", 10)),
                Arguments.of("a thread in camel case", Map.of("threadId", "t"), Map.of("status", "COMPLETED")));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("results")
    void whatIsNoResultEndsTheRunAsFailed(String what, Map<String, Object> thread, @Nullable Map<String, Object> result)
            throws Exception {
        InvokeAgentExecutionWorkflow workflow = start(thread, Collections.singletonList(result));
        ExecutionResult ended = WorkflowStub.fromTyped(workflow).getResult(30, TimeUnit.SECONDS, ExecutionResult.class);
        assertThat(ended.phase()).as(what).isEqualTo("FAILED");
        assertThat(ended.failure().code()).isEqualTo("INVALID_RESULT");
        assertThat(said).last().extracting(UpdateToAppend::phase).isEqualTo("FAILED");
    }

    @Test
    void failureWithoutACodeIsAFailure() throws Exception {
        Map<String, Object> failed = new HashMap<>(Map.of("status", "FAILED", "epoch", 10, "durable", false));
        failed.put("failure", Map.of("message", "no idea"));
        InvokeAgentExecutionWorkflow workflow = start(Map.of("thread_id", "t"), List.of(failed));
        assertThat(WorkflowStub.fromTyped(workflow)
                        .getResult(30, TimeUnit.SECONDS, ExecutionResult.class)
                        .phase())
                .isEqualTo("FAILED");
    }

    /** A worker cannot even tell Temporal that it failed then. */
    @Test
    void resultBeyondWhatGrpcTakesEndsTheRunAsLost() throws Exception {
        heartbeatMillis = 1_000;
        InvokeAgentExecutionWorkflow workflow =
                start(Map.of("thread_id", "t"), List.of(Map.of("status", "COMPLETED", "more", "x".repeat(5_000_000))));
        ExecutionResult ended = WorkflowStub.fromTyped(workflow).getResult(30, TimeUnit.SECONDS, ExecutionResult.class);
        assertThat(ended.phase()).isEqualTo("FAILED");
        assertThat(ended.failure().code()).isEqualTo("WORKER_LOST");
    }

    @Test
    void outcomeIsSaidAgainUnderItsNameWhenTheWorkerDiedBehindIt() throws Exception {
        diesBehindOutcome = true;
        InvokeAgentExecutionWorkflow workflow =
                start(Map.of("thread_id", "t"), List.of(Map.of("status", "COMPLETED", "epoch", 10, "durable", false)));
        ExecutionResult ended = WorkflowStub.fromTyped(workflow).getResult(30, TimeUnit.SECONDS, ExecutionResult.class);
        assertThat(ended.phase()).isEqualTo("COMPLETED");
        List<UpdateToAppend> outcomes =
                said.stream().filter(each -> each.phase().equals("COMPLETED")).toList();
        assertThat(outcomes).hasSize(2);
        assertThat(outcomes.get(1)).isEqualTo(outcomes.get(0));
        assertThat(attempts).hasSize(1);
    }

    private void append(UpdateToAppend update) {
        said.add(update);
        if (diesBehindOutcome && !update.phase().isEmpty()) {
            diesBehindOutcome = false;
            throw new IllegalStateException("the process is gone, and nobody tells Temporal what was said");
        }
    }

    private InvokeAgentExecutionWorkflow start(
            Map<String, Object> thread, List<@Nullable Map<String, Object>> results) {
        Worker worker = temporal.newWorker("execution");
        worker.registerWorkflowImplementationTypes(InvokeAgentExecutionWorkflowImpl.class);
        worker.registerActivitiesImplementations(new Foreign() {
            @Override
            public Map<String, Object> ensureThread(Map<String, Object> request) {
                return thread;
            }

            @Override
            public @Nullable Map<String, Object> executeGraphton(Map<String, Object> request) {
                attempts.add(request);
                return results.get(Math.min(attempts.size(), results.size()) - 1);
            }
        });
        temporal.newWorker("log").registerActivitiesImplementations((LogActivities) this::append);
        temporal.start();
        InvokeAgentExecutionWorkflow workflow = temporal.getWorkflowClient()
                .newWorkflowStub(
                        InvokeAgentExecutionWorkflow.class,
                        WorkflowOptions.newBuilder()
                                .setWorkflowId("w")
                                .setTaskQueue("execution")
                                .setWorkflowExecutionTimeout(Duration.ofHours(1))
                                .build());
        WorkflowClient.start(
                workflow::invoke,
                new ExecutionRequest(
                        "default",
                        "run-1",
                        "agent",
                        "",
                        "",
                        1,
                        0,
                        false,
                        false,
                        0,
                        new SupervisionPolicy(60_000, heartbeatMillis, 1, 100, 1_000, 1_000, 4_000, "log", ""),
                        null));
        return workflow;
    }
}
