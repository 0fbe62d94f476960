package dev.runcast.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.util.Durations;
import dev.runcast.cli.Runcast;
import dev.runcast.local.LocalStack.Service;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.Approval;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CancelExecutionResponse;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.DecideApprovalResponse;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceBlockingStub;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.PauseExecutionRequest;
import dev.runcast.v1.Phase;
import dev.runcast.v1.ResumeExecutionRequest;
import dev.runcast.v1.SnapshotReason;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What people ask, through Kafka, the merge and both stores, and with parts of them away. */
@Timeout(180)
class ControlIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    static Path folder;

    private static LocalStack stack;
    private static ManagedChannel channel;

    @BeforeAll
    static void start() {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
        stack = LocalStack.start(new StackOptions(), folder.resolve("data"), line -> {});
        channel = NettyChannelBuilder.forTarget(stack.addresses().api())
                .usePlaintext()
                .build();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        stack.close();
    }

    @Test
    void whatIsCreatedCanBeReadAtOnceAndIsCancelledWithinTwoSeconds() {
        CreateExecutionResponse created = api().createExecution(request("trip", "r1", "planner"));
        assertThat(get("trip")).isEqualTo(created.getExecution());
        assertThat(api().createExecution(request("trip", "r1", "planner"))).isEqualTo(created);
        assertThat(code(() -> api().createExecution(request("trip", "r2", "planner"))))
                .isEqualTo(Status.Code.ALREADY_EXISTS);
        long began = System.nanoTime();
        assertThat(cancel("trip", "c1").getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
        await().atMost(PATIENCE).until(() -> get("trip").getPhase() == Phase.PHASE_CANCELLED);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(2));
        assertThat(code(() -> cancel("trip", "c2"))).isEqualTo(Status.Code.FAILED_PRECONDITION);
    }

    @Test
    void whoWaitsForAnExecutionSeesItFromItsFirstVersion() {
        Iterator<WatchExecutionResponse> frames = ExecutionServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(60, TimeUnit.SECONDS)
                .watchExecution(WatchExecutionRequest.newBuilder()
                        .setExecutionId("awaited")
                        .setBeginWithin(Durations.fromSeconds(30))
                        .build());
        awaitListener("runcast:default:awaited");
        CompletableFuture<CreateExecutionResponse> created =
                CompletableFuture.supplyAsync(() -> api().createExecution(request("awaited", "r1", "script").toBuilder()
                        .setWithoutWorkflow(false)
                        .setSpec(ExecutionSpec.newBuilder().setAgent("script").setInput("[{say: one}, {say: two}]"))
                        .build()));
        WatchExecutionResponse first = frames.next();
        assertThat(first.getSnapshot().getReason()).isEqualTo(SnapshotReason.SNAPSHOT_REASON_INITIAL);
        // Not what the store has first, which is all of the first second.
        assertThat(first.getSnapshot().getExecution().getVersion()).isEqualTo(1);
        assertThat(created).as("the answer, which waits for the store").isNotDone();
        List<Long> versions = new ArrayList<>(List.of(1L));
        WatchExecutionResponse frame = first;
        while (frames.hasNext()) {
            frame = frames.next();
            if (frame.hasChange()) {
                LongStream.rangeClosed(
                                frame.getChange().getFirstVersion(),
                                frame.getChange().getVersion())
                        .forEach(versions::add);
            }
        }
        assertThat(frame.getDone().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(versions)
                .isEqualTo(LongStream.rangeClosed(1, frame.getDone().getVersion())
                        .boxed()
                        .toList());
        assertThat(created.join().getExecution()).isEqualTo(first.getSnapshot().getExecution());
        // The store has it now, and the first cursor goes on as one of its own.
        Iterator<WatchExecutionResponse> resumed = api().watchExecution(WatchExecutionRequest.newBuilder()
                .setExecutionId("awaited")
                .setCursor(first.getCursor())
                .build());
        assertThat(resumed.next().getChange().getVersion()).isEqualTo(2);
    }

    /** A stack that has just started takes longer to listen for the first time than to create. */
    private static void awaitListener(String channel) {
        RedisClient redis = RedisClient.create(stack.addresses().redis());
        try (StatefulRedisConnection<String, String> connection = redis.connect()) {
            await().atMost(PATIENCE)
                    .until(() -> connection.sync().pubsubNumsub(channel).get(channel) > 0);
        } finally {
            redis.shutdown();
        }
    }

    @Test
    void executionOfAWorkflowIsRunAndItsAgentIsToldToEnd() {
        api().createExecution(request("with-workflow", "r1", "script").toBuilder()
                .setWithoutWorkflow(false)
                .setSpec(ExecutionSpec.newBuilder().setAgent("script").setInput("[{say: one}, {wait: 600}]"))
                .build());
        assertThat(get("with-workflow").getSpec().getWorkflowId()).isEqualTo("agent-execution/default/with-workflow");
        await().atMost(PATIENCE).until(() -> get("with-workflow").getPhase() == Phase.PHASE_RUNNING);
        cancel("with-workflow", "c1");
        await().atMost(Duration.ofSeconds(10)).until(() -> get("with-workflow").getPhase() == Phase.PHASE_CANCELLED);
    }

    @Test
    void ofTenWhoCreateAtOnceOneWins() {
        List<Status.Code> codes =
                together(10, i -> code(() -> api().createExecution(request("race", "r" + i, "a" + i))));
        assertThat(codes).filteredOn(Status.Code.OK::equals).hasSize(1);
        assertThat(codes).filteredOn(Status.Code.ALREADY_EXISTS::equals).hasSize(9);
    }

    @Test
    void ofFiftyWhoDecideAtOnceOneWinsAndAllAreToldWhat() throws Exception {
        try (StatusReporter reporter =
                StatusReporter.open(ReporterConfig.of(stack.addresses().ingest()))) {
            ExecutionReporter run = reporter.execution("gate", System.currentTimeMillis());
            run.attemptStarted("host", "");
            run.approvalRequested(
                    "a1", Approval.newBuilder().setPrompt("May I book?").build());
            await().atMost(PATIENCE)
                    .ignoreExceptions()
                    .until(() -> get("gate").getPhase() == Phase.PHASE_WAITING_FOR_APPROVAL);
            List<DecideApprovalResponse> answers = together(
                    50, i -> decide("gate", i % 2 == 0 ? Decision.DECISION_APPROVE : Decision.DECISION_REJECT));
            List<DecideApprovalResponse> won =
                    answers.stream().filter(DecideApprovalResponse::getWon).toList();
            assertThat(won).hasSize(1);
            assertThat(answers).allSatisfy(answer -> {
                assertThat(answer.getDecision()).isEqualTo(won.get(0).getDecision());
                assertThat(answer.getDecidedBy()).isEqualTo("local");
            });
            await().atMost(PATIENCE).until(() -> get("gate").getPhase() == Phase.PHASE_RUNNING);
            assertThat(code(() -> decide("gate", Decision.DECISION_SKIP))).isEqualTo(Status.Code.OK);
            run.completed();
        }
    }

    @Test
    void heldAndLetGoTenTimes() {
        api().createExecution(request("held", "r1", "planner"));
        for (int i = 0; i < 10; i++) {
            assertThat(api().pauseExecution(PauseExecutionRequest.newBuilder()
                                    .setExecutionId("held")
                                    .build())
                            .getPhase())
                    .isEqualTo(Phase.PHASE_PAUSED);
            assertThat(resume("held")).isEqualTo(Phase.PHASE_PENDING);
        }
        assertThat(code(() -> resume("held"))).isEqualTo(Status.Code.FAILED_PRECONDITION);
    }

    @Test
    void withoutTheMergeThereIsNoAnswerAndTheSameRequestSucceedsWhenItIsBack() {
        api().createExecution(request("down", "r1", "planner"));
        stack.stop(Service.MERGE_STREAM);
        StatusRuntimeException failed = failure(() -> cancel("down", "c1"));
        assertThat(failed.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(failed.getStatus().getDescription()).contains("c1", "same request_id again, which is safe");
        assertThat(run("cancel", "down", "--request-id", "c1")).isEqualTo(69);
        stack.start(Service.MERGE_STREAM);
        // A merge that begins may take longer than one answer is waited for.
        await().atMost(PATIENCE)
                .ignoreExceptions()
                .until(() -> cancel("down", "c1").getPhase() == Phase.PHASE_CANCELLED);
        await().atMost(PATIENCE).until(() -> get("down").getPhase() == Phase.PHASE_CANCELLED);
        assertThat(get("down").getVersion()).isEqualTo(2);
        assertThat(run("cancel", "down", "--request-id", "c1")).isZero();
        assertThat(run("cancel", "down")).isEqualTo(Runcast.REFUSED);
    }

    private interface Indexed<T> {
        T of(int i);
    }

    private static <T> List<T> together(int people, Indexed<T> asks) {
        ExecutorService crowd = Executors.newFixedThreadPool(people);
        try {
            List<CompletableFuture<T>> all = IntStream.range(0, people)
                    .mapToObj(i -> CompletableFuture.supplyAsync(() -> asks.of(i), crowd))
                    .toList();
            return all.stream().map(CompletableFuture::join).toList();
        } finally {
            crowd.shutdown();
        }
    }

    private static CreateExecutionRequest request(String id, String requestId, String agent) {
        return CreateExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setRequestId(requestId)
                .setSpec(ExecutionSpec.newBuilder().setAgent(agent))
                .setWithoutWorkflow(true)
                .build();
    }

    private static CancelExecutionResponse cancel(String id, String requestId) {
        return api().cancelExecution(CancelExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setRequestId(requestId)
                .build());
    }

    private static Phase resume(String id) {
        return api().resumeExecution(
                        ResumeExecutionRequest.newBuilder().setExecutionId(id).build())
                .getPhase();
    }

    private static DecideApprovalResponse decide(String id, Decision decision) {
        return api().decideApproval(DecideApprovalRequest.newBuilder()
                .setExecutionId(id)
                .setDecided(ApprovalDecided.newBuilder().setEntryId("a1").setDecision(decision))
                .build());
    }

    private static Execution get(String id) {
        return api().getExecution(
                        GetExecutionRequest.newBuilder().setExecutionId(id).build())
                .getExecution();
    }

    private static ExecutionServiceBlockingStub api() {
        return ExecutionServiceGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
    }

    private static Status.Code code(Runnable call) {
        try {
            call.run();
            return Status.Code.OK;
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode();
        }
    }

    private static StatusRuntimeException failure(Runnable call) {
        return Objects.requireNonNull(Assertions.catchThrowableOfType(StatusRuntimeException.class, call::run));
    }

    private static int run(String... words) {
        List<String> all = new ArrayList<>(Arrays.asList(words));
        all.addAll(List.of("--server", stack.addresses().api()));
        PrintWriter nowhere = new PrintWriter(new StringWriter());
        return Runcast.commandLine().setOut(nowhere).setErr(nowhere).execute(all.toArray(String[]::new));
    }
}
