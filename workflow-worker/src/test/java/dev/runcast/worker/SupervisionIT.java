package dev.runcast.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.v1.Change;
import dev.runcast.v1.Control;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextField;
import dev.runcast.workflow.WorkflowIds;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.workflowservice.v1.GetWorkflowExecutionHistoryRequest;
import io.temporal.client.WorkflowClient;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.context.ConfigurableApplicationContext;

/** Executions from their declaration to their end, one process running workflows and agents. */
@ExtendWith(Pipeline.Shared.class)
@Timeout(180)
class SupervisionIT {
    private static Pipeline pipeline;
    private static ConfigurableApplicationContext worker;
    private static WorkflowClient client;

    @BeforeAll
    static void start(Pipeline shared) {
        pipeline = shared;
        worker = pipeline.startWorker("--runcast.workflow.web-url=http://localhost:8233/");
        client = worker.getBean(WorkflowClient.class);
    }

    @AfterAll
    static void stop() {
        RecordedHistories.recordIfAsked(client);
        worker.close();
    }

    @Test
    void aDeclaredExecutionIsRunToItsEnd() {
        pipeline.create("hello", "echo", "Hello, world");
        Execution ended = pipeline.awaitPhase("hello", Phase.PHASE_COMPLETED);
        assertThat(ended.getAttempts()).isEqualTo(1);
        assertThat(text("hello", "s2")).isEqualTo("Hello, world");
        awaitClosed("hello");
        assertThat(pipeline.execution("hello").hasLateOutcome()).isFalse();
        assertThat(pipeline.execution("hello").getAttributes().getContextMap())
                .containsEntry(
                        "workflow.url",
                        "http://localhost:8233/namespaces/default/workflows/agent-execution%2Fdefault%2Fhello");
    }

    @Test
    void anUnknownAgentFailsAndSaysWhichAreKnown() {
        pipeline.create("nobody", "travel-planer", "");
        Execution failed = pipeline.awaitPhase("nobody", Phase.PHASE_FAILED);
        assertThat(failed.getFailure().getCode()).isEqualTo("UNKNOWN_AGENT");
        assertThat(failed.getFailure().getMessage()).contains("travel-planer").contains("echo, script");
    }

    @Test
    void anAgentThatReturnsAFailureFailsWithIt() {
        pipeline.script("fails", "[{say: one}, {fail: {code: BUDGET, message: too dear}}]");
        Execution failed = pipeline.awaitPhase("fails", Phase.PHASE_FAILED);
        assertThat(failed.getFailure().getCode()).isEqualTo("BUDGET");
        assertThat(failed.getFailure().getMessage()).isEqualTo("too dear");
        assertThat(text("fails", "s1")).isEqualTo("one");
        awaitClosed("fails");
        assertThat(pipeline.execution("fails").hasLateOutcome()).isFalse();
    }

    @Test
    void anAgentThatThrowsIsTriedAgainWhereItStoppedAndThenFails() {
        pipeline.script("throws-once", "[{say: one}, {throw: {message: broken pipe}}, {say: two}]");
        Execution ended = pipeline.awaitPhase("throws-once", Phase.PHASE_COMPLETED);
        assertThat(ended.getAttempts()).isEqualTo(2);
        pipeline.script("throws-always", "[{say: one}, {throw: {message: broken pipe, times: 99}}]");
        Execution failed = pipeline.awaitPhase("throws-always", Phase.PHASE_FAILED);
        assertThat(failed.getFailure().getCode()).isEqualTo("AGENT_ERROR");
        assertThat(failed.getFailure().getMessage()).contains("broken pipe");
        assertThat(failed.getAttempts()).isEqualTo(5);
        assertThat(text("throws-always", "s1")).isEqualTo("one");
    }

    @Test
    void aWorkerThatHangsIsFencedAndTheRunGoesOnWhereItStopped() {
        // It wakes up after the second attempt has ended, and speaks as if nothing had been.
        pipeline.script(
                "hangs", "[{say: before}, {wait: 4}, {hang: {seconds: 40}}, {say: after}, {wait: 30}, {say: end}]");
        Execution taken = pipeline.await("hangs", "second attempt", execution -> execution.getAttempts() == 2);
        assertThat(taken.getPhase()).isEqualTo(Phase.PHASE_RUNNING);
        pipeline.awaitPhase("hangs", Phase.PHASE_COMPLETED);
        assertThat(text("hangs", "s1")).isEqualTo("before");
        assertThat(text("hangs", "s4")).isEqualTo("after");
        // Only the newest attempt's words, and those of before were not said again.
        assertThat(pipeline.view("hangs").orElseThrow().entry("s1").getEpoch()).isLessThan(taken.getEpoch());
    }

    @Test
    void aRunWaitsForAPersonWithoutASlotAndGoesOnWithTheFirstDecisionOfFifty() {
        pipeline.script("asks", "[{say: plan}, {ask: {tool: pay, arguments: '{\"sum\": 5}'}}, {say: paid}]");
        pipeline.awaitPhase("asks", Phase.PHASE_WAITING_FOR_APPROVAL);
        assertThat(pipeline.execution("asks").getTotals().getPendingApprovals()).isEqualTo(1);
        await().until(() -> pendingActivities("asks") == 0);
        IntStream.range(0, 50)
                .parallel()
                .forEach(person ->
                        pipeline.decide("asks", "s2-approval", Decision.DECISION_APPROVE, "person-" + person));
        Execution ended = pipeline.awaitPhase("asks", Phase.PHASE_COMPLETED);
        assertThat(ended.getAttempts()).isEqualTo(2);
        List<Change> answers = pipeline.changes("asks").stream()
                .filter(change -> change.getRequestOutcome().getDecision() == Decision.DECISION_APPROVE)
                .toList();
        assertThat(answers).hasSizeLessThanOrEqualTo(50).isNotEmpty();
        assertThat(answers.stream().filter(change -> change.getRequestOutcome().getRefusedValue() == 0))
                .hasSize(1);
        assertThat(answers)
                .allSatisfy(answer -> assertThat(answer.getRequestOutcome().getDecidedBy())
                        .isEqualTo(answers.get(0).getRequestOutcome().getDecidedBy()));
        assertThat(entry("asks", "s2").getState()).isEqualTo(EntryState.ENTRY_STATE_COMPLETED);
    }

    @Test
    void aRejectedCallIsNotMadeAndASkippedOneIsSkipped() {
        pipeline.script("rejects", "[{ask: {tool: pay}}, {ask: {tool: tell}}, {say: done}]");
        pipeline.awaitPhase("rejects", Phase.PHASE_WAITING_FOR_APPROVAL);
        pipeline.decide("rejects", "s1-approval", Decision.DECISION_REJECT, "dana");
        pipeline.await("rejects", "second question", execution -> entry("rejects", "s2-approval") != null);
        pipeline.decide("rejects", "s2-approval", Decision.DECISION_SKIP, "dana");
        pipeline.awaitPhase("rejects", Phase.PHASE_COMPLETED);
        assertThat(entry("rejects", "s1").getState()).isEqualTo(EntryState.ENTRY_STATE_CANCELLED);
        assertThat(entry("rejects", "s2").getState()).isEqualTo(EntryState.ENTRY_STATE_SKIPPED);
    }

    @Test
    void aRunningRunIsCancelledWithinTwoSecondsAndTheAgentStops() {
        pipeline.script("cancel-running", "[{say: one}, {wait: 500}, {say: never}]");
        pipeline.await("cancel-running", "first words", execution -> "one".equals(text("cancel-running", "s1")));
        long asked = System.nanoTime();
        pipeline.control("cancel-running", Control.CONTROL_CANCEL);
        pipeline.awaitPhase("cancel-running", Phase.PHASE_CANCELLED);
        assertThat(Duration.ofNanos(System.nanoTime() - asked)).isLessThan(Duration.ofSeconds(2));
        awaitClosed("cancel-running");
        assertThat(entry("cancel-running", "s3")).isNull();
    }

    @Test
    void anAgentThatDoesNotListenIsCancelledAllTheSame() {
        pipeline.script("cancel-deaf", "[{say: one}, {wait: 2}, {hang: {seconds: 30}}, {say: never}]");
        pipeline.await("cancel-deaf", "first words", execution -> "one".equals(text("cancel-deaf", "s1")));
        pipeline.control("cancel-deaf", Control.CONTROL_CANCEL);
        pipeline.awaitPhase("cancel-deaf", Phase.PHASE_CANCELLED);
        awaitClosed("cancel-deaf");
        assertThat(text("cancel-deaf", "s1")).isEqualTo("one");
    }

    @Test
    void aRunThatWaitsOrIsPausedIsCancelledAndAnEndedOneIsLeftAsItIs() {
        pipeline.script("cancel-waiting", "[{ask: {tool: pay}}]");
        pipeline.awaitPhase("cancel-waiting", Phase.PHASE_WAITING_FOR_APPROVAL);
        pipeline.control("cancel-waiting", Control.CONTROL_CANCEL);
        pipeline.awaitPhase("cancel-waiting", Phase.PHASE_CANCELLED);
        pipeline.script("cancel-paused", "[{say: one}, {wait: 100}]");
        pipeline.await("cancel-paused", "first words", execution -> "one".equals(text("cancel-paused", "s1")));
        pipeline.control("cancel-paused", Control.CONTROL_PAUSE);
        pipeline.awaitPhase("cancel-paused", Phase.PHASE_PAUSED);
        pipeline.control("cancel-paused", Control.CONTROL_CANCEL);
        pipeline.awaitPhase("cancel-paused", Phase.PHASE_CANCELLED);
        awaitClosed("cancel-paused");
        pipeline.control("cancel-paused", Control.CONTROL_CANCEL);
        Change refused = awaitRefused("cancel-paused", Control.CONTROL_CANCEL);
        assertThat(refused.getRequestOutcome().getRefused()).isEqualTo(RejectionReason.REJECTION_REASON_ENDED);
        assertThat(pipeline.execution("cancel-paused").getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
    }

    @Test
    void aWorkflowThatIsCancelledInTemporalEndsTheRun() {
        pipeline.script("cancel-temporal", "[{say: one}, {wait: 100}]");
        pipeline.await("cancel-temporal", "first words", execution -> "one".equals(text("cancel-temporal", "s1")));
        client.newUntypedWorkflowStub(WorkflowIds.of(Pipeline.TENANT, "cancel-temporal"))
                .cancel();
        Execution ended = pipeline.awaitPhase("cancel-temporal", Phase.PHASE_CANCELLED);
        assertThat(ended.getReason()).isIn("", "cancelled by Temporal");
    }

    @Test
    void aRunIsPausedAndResumedTenTimesAndComesToItsEnd() {
        String steps = IntStream.range(0, 30)
                .mapToObj(step -> "{say: w" + step + "}, {wait: 1}")
                .reduce((one, other) -> one + ", " + other)
                .orElseThrow();
        pipeline.script("pauses", "[" + steps + "]");
        for (int time = 0; time < 10; time++) {
            pipeline.await("pauses", "running", execution -> execution.getPhase() == Phase.PHASE_RUNNING);
            pipeline.control("pauses", Control.CONTROL_PAUSE);
            pipeline.awaitPhase("pauses", Phase.PHASE_PAUSED);
            pipeline.control("pauses", Control.CONTROL_RESUME);
        }
        pipeline.awaitPhase("pauses", Phase.PHASE_COMPLETED);
        IntStream.range(0, 30).forEach(step -> assertThat(text("pauses", "s" + (2 * step + 1)))
                .isEqualTo("w" + step));
    }

    @Test
    void aFailedRunIsRecoveredOnItsThread() {
        pipeline.script("recovers", "[{say: one}, {wait: 3}, {fail: {code: QUOTA}}, {say: two}]");
        Execution failed = pipeline.awaitPhase("recovers", Phase.PHASE_FAILED);
        pipeline.control("recovers", Control.CONTROL_RECOVER);
        Execution ended = pipeline.awaitPhase("recovers", Phase.PHASE_COMPLETED);
        assertThat(ended.getMinimumEpoch()).isEqualTo(failed.getEpoch() + 1);
        assertThat(ended.hasFailure()).isFalse();
        assertThat(text("recovers", "s4")).isEqualTo("two");
        assertThat(entry("recovers", "s1").getEpoch()).isEqualTo(failed.getEpoch());
        pipeline.control("recovers", Control.CONTROL_RECOVER);
        assertThat(awaitRefused("recovers", Control.CONTROL_RECOVER)
                        .getRequestOutcome()
                        .getRefused())
                .isEqualTo(RejectionReason.REJECTION_REASON_TRANSITION);
    }

    @Test
    void aRunThatWaitedWhenItWasCancelledAsksAnewAfterItsRecovery() {
        pipeline.script("recovers-asking", "[{ask: {tool: pay}}, {say: paid}]");
        pipeline.awaitPhase("recovers-asking", Phase.PHASE_WAITING_FOR_APPROVAL);
        pipeline.control("recovers-asking", Control.CONTROL_CANCEL);
        pipeline.awaitPhase("recovers-asking", Phase.PHASE_CANCELLED);
        pipeline.control("recovers-asking", Control.CONTROL_RECOVER);
        pipeline.awaitPhase("recovers-asking", Phase.PHASE_WAITING_FOR_APPROVAL);
        String again = pipeline.view("recovers-asking").orElseThrow().entries().stream()
                .filter(each -> each.hasApproval() && each.getState() == EntryState.ENTRY_STATE_WAITING)
                .map(Entry::getEntryId)
                .findFirst()
                .orElseThrow();
        pipeline.decide("recovers-asking", again, Decision.DECISION_APPROVE, "dana");
        pipeline.awaitPhase("recovers-asking", Phase.PHASE_COMPLETED);
    }

    @Test
    void subAgentsWorkAtTheSameTimeAndALargeOutputNeverPassesTemporal() {
        pipeline.script(
                "large",
                "[{agents: [{name: a, steps: [{say: x}, {tool: {name: t}}]}, {name: b, steps: [{think: y}]}]},"
                        + " {tool: {name: dump, result: '0123456789abcdef', repeat: 200000}}]");
        pipeline.awaitPhase("large", Phase.PHASE_COMPLETED);
        assertThat(text("large", "s1-a1-s1")).isEqualTo("x");
        assertThat(entry("large", "s1-a2").getState()).isEqualTo(EntryState.ENTRY_STATE_COMPLETED);
    }

    @Test
    void tenThousandUpdatesLeaveFewerThanFiftyEventsInTheHistory() {
        pipeline.script("long", "[{progress: {count: 10000}}, {say: done}]");
        pipeline.awaitPhase("long", Phase.PHASE_COMPLETED);
        assertThat(pipeline.execution("long").getVersion()).isGreaterThan(9_000);
        awaitClosed("long");
        assertThat(events("long")).isLessThan(50);
    }

    private static Entry entry(String id, String entryId) {
        return pipeline.view(id).map(view -> view.entry(entryId)).orElse(null);
    }

    private static String text(String id, String entryId) {
        return pipeline.view(id)
                .map(view -> view.text(entryId, TextField.TEXT_FIELD_TEXT))
                .map(text -> text.toStringUtf8())
                .orElse(null);
    }

    /** The workflow asks too, and may be refused in between: only what was asked here counts. */
    private static Change awaitRefused(String id, Control asked) {
        Predicate<Change> refused = change -> change.getRequestOutcome().getRefusedValue() != 0
                && change.getRequestOutcome().getControl() == asked;
        return await().atMost(Duration.ofSeconds(20))
                .until(() -> pipeline.changes(id).stream().filter(refused).findFirst(), Optional::isPresent)
                .orElseThrow();
    }

    private static void awaitClosed(String id) {
        client.newUntypedWorkflowStub(WorkflowIds.of(Pipeline.TENANT, id)).getResult(Object.class);
    }

    private static int pendingActivities(String id) {
        return client.newUntypedWorkflowStub(WorkflowIds.of(Pipeline.TENANT, id))
                .describe()
                .getRawDescription()
                .getPendingActivitiesCount();
    }

    private static int events(String id) {
        return client.getWorkflowServiceStubs()
                .blockingStub()
                .getWorkflowExecutionHistory(GetWorkflowExecutionHistoryRequest.newBuilder()
                        .setNamespace("default")
                        .setExecution(WorkflowExecution.newBuilder().setWorkflowId(WorkflowIds.of(Pipeline.TENANT, id)))
                        .build())
                .getHistory()
                .getEventsCount();
    }
}
