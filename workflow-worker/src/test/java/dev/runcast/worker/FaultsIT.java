package dev.runcast.worker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Control;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import dev.runcast.v1.WriterKind;
import dev.runcast.workflow.WorkflowIds;
import io.temporal.client.WorkflowClient;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.context.ConfigurableApplicationContext;

/** Executions while the processes around them die, are missing, come back or come twice. */
@ExtendWith(Pipeline.Shared.class)
@Timeout(240)
class FaultsIT {
    private static Pipeline pipeline;
    private ConfigurableApplicationContext workflows;
    private AutoCloseable agents;

    @BeforeAll
    static void start(Pipeline shared) {
        pipeline = shared;
    }

    @AfterEach
    void stopWorkers() throws Exception {
        if (workflows != null) {
            RecordedHistories.recordIfAsked(workflows.getBean(WorkflowClient.class));
            workflows.close();
        }
        if (agents != null) {
            agents.close();
        }
    }

    @Test
    void withoutAWorkerARunIsPendingAndSaysWhatItWaitsFor() {
        workflows = pipeline.startWorker("--runcast.worker.activities=false");
        pipeline.create("lonely", "echo", "late");
        Execution waits = pipeline.await(
                "lonely", "reason", execution -> execution.getReason().contains("worker"));
        assertThat(waits.getPhase()).isEqualTo(Phase.PHASE_PENDING);
        assertThat(waits.getReason()).isEqualTo("waits for a worker on task queue execution");
        pipeline.create("lonely-cancelled", "echo", "");
        await().until(() -> pipeline.view("lonely-cancelled").isPresent());
        pipeline.control("lonely-cancelled", Control.CONTROL_CANCEL);
        pipeline.awaitPhase("lonely-cancelled", Phase.PHASE_CANCELLED);
        agents = pipeline.startWorker("--runcast.worker.workflows=false");
        assertThat(pipeline.awaitPhase("lonely", Phase.PHASE_COMPLETED).getReason())
                .isEmpty();
    }

    @Test
    void aWorkerProcessThatIsKilledIsReplacedAndTheRunGoesOnWhereItWas() {
        workflows = pipeline.startWorker("--runcast.worker.activities=false");
        WorkerProcess first = new WorkerProcess(pipeline, pipeline.folder.resolve("first.log"));
        agents = first;
        pipeline.script("killed", "[{say: before}, {wait: 4}, {say: middle}, {wait: 60}, {say: after}]");
        pipeline.await("killed", "middle", execution -> "middle".equals(text("killed", "s3")));
        // The thread has to know that it is durable; else the second attempt says it again, which is right too.
        Path thread = pipeline.folder.resolve("threads/default/killed.json");
        await().until(() -> java.nio.file.Files.exists(thread)
                && java.nio.file.Files.readString(thread).contains("\"next\":3"));
        first.kill();
        agents = new WorkerProcess(pipeline, pipeline.folder.resolve("second.log"), "--runcast.runner.speed=50");
        Execution ended = pipeline.awaitPhase("killed", Phase.PHASE_COMPLETED);
        assertThat(ended.getAttempts()).isEqualTo(2);
        assertThat(text("killed", "s1")).isEqualTo("before");
        assertThat(text("killed", "s5")).isEqualTo("after");
        assertThat(pipeline.view("killed").orElseThrow().entry("s3").getEpoch()).isLessThan(ended.getEpoch());
    }

    @Test
    void aScriptThatCrashesItsProcessIsRunOnByTheNext() {
        workflows = pipeline.startWorker("--runcast.worker.activities=false");
        WorkerProcess first = new WorkerProcess(
                pipeline, pipeline.folder.resolve("crash.log"), "--runcast.runner.crash-allowed=true");
        agents = first;
        pipeline.script("crashes", "[{say: before}, {crash: {}}, {say: after}]");
        await().atMost(Duration.ofSeconds(60)).until(() -> !first.isAlive());
        agents = pipeline.startWorker("--runcast.worker.workflows=false", "--runcast.runner.crash-allowed=true");
        pipeline.awaitPhase("crashes", Phase.PHASE_COMPLETED);
        assertThat(text("crashes", "s1")).isEqualTo("before");
    }

    @Test
    void aWorkflowThatIsTerminatedInTemporalEndsItsRunWithTheReason() {
        workflows = pipeline.startWorker();
        pipeline.script("terminated", "[{say: one}, {wait: 500}]");
        pipeline.await("terminated", "first words", execution -> "one".equals(text("terminated", "s1")));
        workflows
                .getBean(WorkflowClient.class)
                .newUntypedWorkflowStub(WorkflowIds.of(Pipeline.TENANT, "terminated"))
                .terminate("too expensive");
        Execution ended = pipeline.awaitPhase("terminated", Phase.PHASE_TERMINATED);
        assertThat(ended.getFailure().getCode()).isEqualTo("WORKFLOW_TERMINATED");
        assertThat(ended.getFailure().getMessage()).contains("too expensive");
        assertThat(text("terminated", "s1")).isEqualTo("one");
    }

    @Test
    void aTemporalServerThatForgotEverythingLeavesNoRunRunningAndTheRunIsRecovered() {
        workflows = pipeline.startWorker();
        pipeline.script("forgotten", "[{say: one}, {wait: 60}, {say: two}]");
        pipeline.script("forgotten-waiting", "[{ask: {tool: pay}}, {say: paid}]");
        pipeline.await("forgotten", "first words", execution -> "one".equals(text("forgotten", "s1")));
        pipeline.awaitPhase("forgotten-waiting", Phase.PHASE_WAITING_FOR_APPROVAL);
        pipeline.temporal.stop();
        pipeline.create("born-without-temporal", "echo", "born");
        pipeline.temporal.restart();
        Execution lost = pipeline.awaitPhase("forgotten", Phase.PHASE_FAILED);
        assertThat(lost.getFailure().getCode()).isEqualTo("WORKFLOW_LOST");
        assertThat(text("forgotten", "s1")).isEqualTo("one");
        pipeline.awaitPhase("forgotten-waiting", Phase.PHASE_FAILED);
        pipeline.awaitPhase("born-without-temporal", Phase.PHASE_COMPLETED);
        pipeline.control("forgotten", Control.CONTROL_RECOVER);
        pipeline.awaitPhase("forgotten", Phase.PHASE_COMPLETED);
        assertThat(text("forgotten", "s3")).isEqualTo("two");
    }

    @Test
    void aSecondBridgeThatReadsEverythingAgainStartsAndTellsNothingTwice() throws Exception {
        workflows = pipeline.startWorker();
        pipeline.script("once", "[{say: one}, {wait: 5}, {fail: {}}, {say: two}]");
        pipeline.awaitPhase("once", Phase.PHASE_FAILED);
        pipeline.control("once", Control.CONTROL_RECOVER);
        Execution ended = pipeline.awaitPhase("once", Phase.PHASE_COMPLETED);
        agents = pipeline.startWorker("--runcast.workflow.group=second-bridge");
        pipeline.create("after-once", "echo", "x");
        Execution after = pipeline.awaitPhase("after-once", Phase.PHASE_COMPLETED);
        assertThat(after.getAttempts()).isEqualTo(1);
        Execution later = pipeline.execution("once");
        assertThat(later.getAttempts()).isEqualTo(ended.getAttempts());
        assertThat(later.hasLateOutcome()).isFalse();
    }

    @Test
    void aRunWhosePipelineWasAwayToItsEndIsCompletedWithItsWholeTranscript() {
        workflows = pipeline.startWorker();
        pipeline.script("blackholed", "[{say: one}, {wait: 10}, {say: two}, {say: three}]");
        pipeline.await("blackholed", "first words", execution -> "one".equals(text("blackholed", "s1")));
        pipeline.stopIngest();
        try {
            pipeline.awaitPhase("blackholed", Phase.PHASE_COMPLETED);
            assertThat(text("blackholed", "s4")).isNull();
        } finally {
            pipeline.startIngest();
        }
        pipeline.await("blackholed", "last words", execution -> "three".equals(text("blackholed", "s4")));
        assertThat(text("blackholed", "s3")).isEqualTo("two");
        assertThat(pipeline.execution("blackholed").getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
    }

    @Test
    void whatIsAskedWhileTheMergeIsAwayIsDoneWhenItIsBack() {
        workflows = pipeline.startWorker();
        pipeline.script("merge-away", "[{say: one}, {wait: 200}]");
        pipeline.await("merge-away", "first words", execution -> "one".equals(text("merge-away", "s1")));
        pipeline.stopMerge();
        pipeline.control("merge-away", Control.CONTROL_CANCEL);
        pipeline.startMerge();
        pipeline.awaitPhase("merge-away", Phase.PHASE_CANCELLED);
    }

    @Test
    void aPauseThatComesAfterTheLaterResumeChangesNothing() {
        workflows = pipeline.startWorker();
        pipeline.script("late-pause", "[{say: one}, {wait: 15}, {say: two}]");
        pipeline.await("late-pause", "first words", execution -> "one".equals(text("late-pause", "s1")));
        Timestamp before =
                pipeline.batch("late-pause", WriterKind.WRITER_KIND_OPERATOR).getReceivedAt();
        pipeline.control("late-pause", Control.CONTROL_PAUSE);
        pipeline.awaitPhase("late-pause", Phase.PHASE_PAUSED);
        pipeline.control("late-pause", Control.CONTROL_RESUME);
        pipeline.append(pipeline.batch("late-pause", WriterKind.WRITER_KIND_OPERATOR)
                .setReceivedAt(before)
                .addUpdates(Update.newBuilder()
                        .setControlRequested(ControlRequested.newBuilder().setControl(Control.CONTROL_PAUSE)))
                .build());
        pipeline.awaitPhase("late-pause", Phase.PHASE_COMPLETED);
        assertThat(pipeline.changes("late-pause"))
                .filteredOn(change -> change.getRequestOutcome().getRefused() == RejectionReason.REJECTION_REASON_STALE)
                .hasSize(1);
    }

    @Test
    void twoHundredRunsOnTwentySlotsAllEndAndAreStartedInTheirOrder() {
        int slots = 20;
        workflows = pipeline.startWorker("--runcast.runner.speed=20");
        // The first of all wait until everything is loaded.
        IntStream.range(0, slots).forEach(i -> pipeline.create("first-" + i, "echo", ""));
        IntStream.range(0, slots).forEach(i -> pipeline.awaitPhase("first-" + i, Phase.PHASE_COMPLETED));
        List<String> created =
                IntStream.range(0, 200).mapToObj(i -> "many-" + i).toList();
        created.forEach(id -> pipeline.create(id, "echo", id));
        for (String id : created) {
            assertThat(pipeline.awaitPhase(id, Phase.PHASE_COMPLETED).getAttempts())
                    .isEqualTo(1);
        }
        // Which of the workflows gets on first is Temporal's, whose test server takes the newest.
        WorkflowClient client = workflows.getBean(WorkflowClient.class);
        Map<String, Timestamp> starts = created.stream()
                .collect(Collectors.toMap(
                        Function.identity(), id -> client.fetchHistory(WorkflowIds.of(Pipeline.TENANT, id))
                                .getEvents()
                                .get(0)
                                .getEventTime()));
        List<String> begun = created.stream()
                .sorted(Comparator.comparing(starts::get, Timestamps.comparator()))
                .toList();
        // A partition may be read later than another by some; the first of one that waits for all others is 150 off.
        assertThat(created).allSatisfy(id -> assertThat(begun.indexOf(id))
                .as("place of the start of %s among all starts", id)
                .isCloseTo(created.indexOf(id), within(created.size() / 2)));
    }

    @Test
    void aLongHistoryGoesOnInANewRun() {
        workflows = pipeline.startWorker("--runcast.workflow.history-events=40");
        pipeline.script("long-history", "[{say: one}, {wait: 25}, {say: two}]");
        pipeline.await("long-history", "first words", execution -> "one".equals(text("long-history", "s1")));
        for (int time = 0; time < 4; time++) {
            pipeline.await("long-history", "running", execution -> execution.getPhase() == Phase.PHASE_RUNNING);
            pipeline.control("long-history", Control.CONTROL_PAUSE);
            pipeline.awaitPhase("long-history", Phase.PHASE_PAUSED);
            pipeline.control("long-history", Control.CONTROL_RESUME);
        }
        pipeline.awaitPhase("long-history", Phase.PHASE_COMPLETED);
        String before = workflows
                .getBean(WorkflowClient.class)
                .fetchHistory(WorkflowIds.of(Pipeline.TENANT, "long-history"))
                .getEvents()
                .get(0)
                .getWorkflowExecutionStartedEventAttributes()
                .getContinuedExecutionRunId();
        assertThat(before).isNotEmpty();
        assertThat(text("long-history", "s3")).isEqualTo("two");
    }

    private static String text(String id, String entryId) {
        return pipeline.view(id)
                .map(view -> view.text(entryId, TextField.TEXT_FIELD_TEXT))
                .map(text -> text.toStringUtf8())
                .orElse(null);
    }
}
