package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.runcast.v1.Change;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.Done;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.GetExecutionResponse;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Watching from before an execution is there, at a door whose answers come when told. */
class CreateAndWatchTest {
    private final Door door = new Door();

    @RegisterExtension
    private final ServedDoor served = new ServedDoor(door);

    @Test
    void whatBeginsIsShownBeforeTheAnswer() {
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(() -> create());
        door.viewer.join();
        StreamObserver<CreateExecutionResponse> asker = door.asker.join();
        door.show(snapshot(1), change(2, Phase.PHASE_RUNNING));
        await().until(() -> served.out.toString().contains("RUNNING"));
        assertThat(served.out.toString()).startsWith("run is created; it is PENDING.\n");
        assertThat(command).isNotDone();
        asker.onNext(answer());
        asker.onCompleted();
        door.show(done());
        assertThat(command.join()).isZero();
        assertThat(door.calls).containsExactlyInAnyOrder("get run", "watch run 60s", "create run");
    }

    @Test
    void withoutAnIdTheRequestNamesIt() {
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(
                () -> served.execute("create", "planner", "--watch", "--request-id", "r7"));
        door.viewer.join();
        door.asker.join().onError(Status.INVALID_ARGUMENT.asRuntimeException());
        assertThat(command.join()).isEqualTo(2);
        assertThat(door.calls).containsExactlyInAnyOrder("get r7", "watch r7 60s", "create ");
    }

    @Test
    void requestThatIsRefusedIsToldAsWithoutTheWatchAndEndsIt() {
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(() -> create());
        ServerCallStreamObserver<WatchExecutionResponse> viewer = door.viewer.join();
        door.asker
                .join()
                .onError(Status.ALREADY_EXISTS
                        .withDescription("execution_id: run is taken")
                        .asRuntimeException());
        assertThat(command.join()).isEqualTo(Runcast.REFUSED);
        assertThat(served.err.toString()).isEqualTo("runcast: execution_id: run is taken\n");
        assertThat(served.out.toString()).isEmpty();
        await().until(viewer::isCancelled);
    }

    @Test
    void requestThatFailsWhileItsExecutionIsShownEndsTheWatch() {
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(() -> create());
        StreamObserver<CreateExecutionResponse> asker = door.asker.join();
        door.show(snapshot(1), change(2, Phase.PHASE_RUNNING));
        await().until(() -> served.out.toString().contains("RUNNING"));
        asker.onError(Status.PERMISSION_DENIED.withDescription("not yours").asRuntimeException());
        assertThat(command.join()).isEqualTo(Runcast.NOT_PERMITTED);
        assertThat(served.err.toString()).contains("runcast: not yours\n");
    }

    @Test
    void whatIsThereAlreadyIsWatchedAfterTheAnswerOnly() {
        door.exists = true;
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(() -> create());
        StreamObserver<CreateExecutionResponse> asker = door.asker.join();
        assertThat(door.calls).containsExactly("get run", "create run");
        asker.onError(Status.ALREADY_EXISTS.asRuntimeException());
        assertThat(command.join()).isEqualTo(Runcast.REFUSED);
        assertThat(door.calls).hasSize(2);
    }

    @Test
    void watchThatBreaksBeforeItBeganIsBegunAgainAfterTheAnswer() {
        door.watchFailures = new ArrayList<>(List.of(Status.UNAVAILABLE));
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(() -> create());
        StreamObserver<CreateExecutionResponse> asker = door.asker.join();
        asker.onNext(answer());
        asker.onCompleted();
        door.show(snapshot(1), done());
        assertThat(command.join()).isZero();
        assertThat(served.out.toString()).startsWith("run is created; it is PENDING.\n");
        assertThat(door.calls).containsExactlyInAnyOrder("get run", "watch run 60s", "create run", "watch run 60s");
    }

    @Test
    void linesOfJsonBeginWithTheAnswer() {
        CompletableFuture<Integer> command = CompletableFuture.supplyAsync(() -> create("-o", "json"));
        StreamObserver<CreateExecutionResponse> asker = door.asker.join();
        door.show(snapshot(1), done());
        asker.onNext(answer());
        asker.onCompleted();
        assertThat(command.join()).isZero();
        List<String> lines = served.out.toString().lines().toList();
        assertThat(lines.get(0)).contains("requestId");
        assertThat(lines.get(1)).contains("snapshot");
        assertThat(lines.get(2)).contains("done");
    }

    @Test
    void watchWaitsAsLongAsAsked() {
        CompletableFuture<Integer> command =
                CompletableFuture.supplyAsync(() -> served.execute("watch", "run", "--wait", "10s"));
        door.viewer.join();
        door.show(snapshot(1), done());
        assertThat(command.join()).isZero();
        assertThat(door.calls).containsExactly("watch run 10s");
    }

    @Test
    void waitThatIsNoDurationIsAUsageError() {
        assertThat(served.execute("watch", "run", "--wait", "long")).isEqualTo(2);
        assertThat(served.err.toString()).contains("\"long\" (expected: a duration such as 10s or 1m)");
    }

    /** The server says what is too long, as of any other value. */
    @Test
    void waitBeyondEveryClockIsRefusedAndDoesNotBreakTheCommand() {
        door.watchFailures =
                new ArrayList<>(List.of(Status.INVALID_ARGUMENT.withDescription("begin_within: too long")));
        assertThat(served.execute("watch", "run", "--wait", "3000000h0.5s")).isEqualTo(2);
        assertThat(served.err.toString()).isEqualTo("runcast: begin_within: too long\n");
        assertThat(door.calls).containsExactly("watch run 10800000000.500s");
    }

    private int create(String... more) {
        List<String> words = new ArrayList<>(List.of("create", "planner", "--id", "run", "--watch"));
        words.addAll(Arrays.asList(more));
        return served.execute(words.toArray(String[]::new));
    }

    private static Execution execution(long version, Phase phase) {
        return Execution.newBuilder()
                .setExecutionId("run")
                .setVersion(version)
                .setPhase(phase)
                .build();
    }

    private static CreateExecutionResponse answer() {
        return CreateExecutionResponse.newBuilder()
                .setRequestId("r1")
                .setExecution(execution(1, Phase.PHASE_PENDING))
                .build();
    }

    private static WatchExecutionResponse snapshot(long version) {
        return WatchExecutionResponse.newBuilder()
                .setCursor("c" + version)
                .setSnapshot(Snapshot.newBuilder()
                        .setFirst(true)
                        .setLast(true)
                        .setExecution(execution(version, Phase.PHASE_PENDING)))
                .build();
    }

    private static WatchExecutionResponse change(long version, Phase phase) {
        return WatchExecutionResponse.newBuilder()
                .setCursor("c" + version)
                .setChange(Change.newBuilder()
                        .setFirstVersion(version)
                        .setVersion(version)
                        .setExecution(execution(version, phase)))
                .build();
    }

    private static WatchExecutionResponse done() {
        return WatchExecutionResponse.newBuilder()
                .setCursor("end")
                .setDone(Done.newBuilder().setPhase(Phase.PHASE_COMPLETED))
                .build();
    }

    /** Answers when the test does, unless told otherwise. */
    private static final class Door extends ExecutionServiceGrpc.ExecutionServiceImplBase {
        private final List<String> calls = new CopyOnWriteArrayList<>();
        private final CompletableFuture<ServerCallStreamObserver<WatchExecutionResponse>> viewer =
                new CompletableFuture<>();
        private final CompletableFuture<StreamObserver<CreateExecutionResponse>> asker = new CompletableFuture<>();
        private volatile boolean exists;
        private volatile List<Status> watchFailures = new ArrayList<>();

        void show(WatchExecutionResponse... frames) {
            for (WatchExecutionResponse frame : frames) {
                viewer.join().onNext(frame);
                if (frame.hasDone()) {
                    viewer.join().onCompleted();
                }
            }
        }

        @Override
        public void getExecution(GetExecutionRequest request, StreamObserver<GetExecutionResponse> answer) {
            calls.add("get " + request.getExecutionId());
            if (exists) {
                answer.onNext(GetExecutionResponse.getDefaultInstance());
                answer.onCompleted();
            } else {
                answer.onError(Status.NOT_FOUND.asRuntimeException());
            }
        }

        @Override
        public void createExecution(CreateExecutionRequest request, StreamObserver<CreateExecutionResponse> answer) {
            calls.add("create " + request.getExecutionId());
            asker.complete(answer);
        }

        @Override
        public void watchExecution(WatchExecutionRequest request, StreamObserver<WatchExecutionResponse> answer) {
            Duration within = request.getBeginWithin();
            calls.add("watch " + request.getExecutionId() + " " + Durations.toString(within));
            if (watchFailures.isEmpty()) {
                ServerCallStreamObserver<WatchExecutionResponse> call =
                        (ServerCallStreamObserver<WatchExecutionResponse>) answer;
                call.setOnCancelHandler(() -> {});
                viewer.complete(call);
            } else {
                answer.onError(watchFailures.remove(0).asRuntimeException());
            }
        }
    }
}
