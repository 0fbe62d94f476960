package dev.runcast.api.door;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.Durations;
import com.google.rpc.ErrorInfo;
import dev.runcast.api.ApiApplication;
import dev.runcast.api.ApiFixture;
import dev.runcast.api.Run;
import dev.runcast.api.watch.WatchService;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListEntriesResponse;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.StatusProto;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class GrpcDoorTest {
    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static ManagedChannel channel;

    @BeforeAll
    static void start() {
        api = new ApiFixture(null);
        channel = api.grpc();
    }

    @AfterAll
    static void stop() throws InterruptedException {
        api.close();
    }

    @Test
    void getShowsAnExecutionNowAndThen() {
        new Run("default", "get-1")
                .message("m1", "a")
                .phase(Phase.PHASE_COMPLETED)
                .store(api.store, 1);
        assertThat(stub().getExecution(get("get-1", 0)).getExecution().getPhase())
                .isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(stub().getExecution(get("get-1", 2)).getExecution().getPhase())
                .isEqualTo(Phase.PHASE_RUNNING);
        assertThat(stub().getExecution(get("get-1", 2)).getExecution().getVersion())
                .isEqualTo(2);
    }

    @Test
    void pageOfEntriesEndsAtAMebibyteAndNotInTheMiddleOfOne() {
        Run run = new Run("default", "large-1");
        for (int i = 1; i <= 5; i++) {
            run.message("m" + i, "x".repeat(400_000));
        }
        run.message("m6", "y".repeat(3_000_000)).store(api.store, 1);
        List<Integer> pages = new ArrayList<>();
        List<String> ids = new ArrayList<>();
        String token = "";
        do {
            ListEntriesResponse page = stub().listEntries(ListEntriesRequest.newBuilder()
                    .setExecutionId("large-1")
                    .setPageToken(token)
                    .build());
            pages.add(page.getEntriesCount());
            page.getEntriesList().forEach(entry -> ids.add(entry.getEntryId()));
            token = page.getNextPageToken();
        } while (!token.isEmpty());
        assertThat(pages).containsExactly(2, 2, 1, 1);
        assertThat(ids).containsExactly("m1", "m2", "m3", "m4", "m5", "m6");
    }

    @Test
    void entriesThatAreNewerThanTheirHeaderAreReadAgain() {
        Run run = new Run("default", "newer-1").message("m1", "a").store(api.store, 1);
        api.store.beforeEntries(() -> {
            api.store.beforeEntries(() -> {});
            run.text("m1", "b").store(api.store, 3);
        });
        assertThat(stub().listEntries(ListEntriesRequest.newBuilder()
                                .setExecutionId("newer-1")
                                .build())
                        .getEntries(0)
                        .getMessage()
                        .getText())
                .isIn("a", "ab");
    }

    @Test
    void changesGoOnAfterAVersion() {
        Run run = new Run("default", "changes-1")
                .message("m1", "a")
                .grow("m1", 5, "b")
                .store(api.store, 1);
        assertThat(stub().listChanges(ListChangesRequest.newBuilder()
                                .setExecutionId("changes-1")
                                .setAfterVersion(3)
                                .build())
                        .getChangesList())
                .isEqualTo(run.history().subList(3, 7));
    }

    @Test
    void wrongValueIsSaidWithFieldValueAndExpectation() throws InvalidProtocolBufferException {
        StatusRuntimeException refused =
                catchThrowableOfType(StatusRuntimeException.class, () -> stub().getExecution(get("a b", -1)));
        assertThat(refused.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(refused.getStatus().getDescription())
                .contains("execution_id: \"a b\" (expected: ")
                .contains("at_version: -1 (expected: ");
        ErrorInfo info = Objects.requireNonNull(StatusProto.fromThrowable(refused))
                .getDetails(0)
                .unpack(ErrorInfo.class);
        assertThat(info.getReason()).isEqualTo("INVALID");
        assertThat(info.getDomain()).isEqualTo("runcast.dev");
    }

    @Test
    void watchGivesStateChangesAndTheEnd() {
        Run run = new Run("default", "watch-1").message("m1", "a").store(api.store, 1);
        Iterator<WatchExecutionResponse> frames =
                stub().withDeadlineAfter(20, TimeUnit.SECONDS).watchExecution(watch("watch-1", ""));
        assertThat(frames.next().getSnapshot().getExecution().getVersion()).isEqualTo(2);
        run.text("m1", "b").phase(Phase.PHASE_COMPLETED).store(api.store, 3).ring(api.bell, 3);
        assertThat(frames.next().getChange()).isEqualTo(run.history().get(2));
        WatchExecutionResponse last = frames.next();
        assertThat(last.getChange()).isEqualTo(run.history().get(3));
        assertThat(frames.next().getDone().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(frames.hasNext()).isFalse();
        Iterator<WatchExecutionResponse> again = stub().watchExecution(watch("watch-1", last.getCursor()));
        assertThat(again.next().hasDone()).isTrue();
        assertThat(again.hasNext()).isFalse();
    }

    @Test
    void watchThatIsThereFirstSeesTheExecutionBegin() {
        Run run = new Run("default", "begin-1").message("m1", "a");
        Iterator<WatchExecutionResponse> frames = stub().withDeadlineAfter(20, TimeUnit.SECONDS)
                .watchExecution(begin("begin-1", Durations.fromSeconds(20)));
        await().until(() -> api.bell.isListenedTo(run.key()));
        run.phase(Phase.PHASE_COMPLETED).ring(api.bell, 1);
        assertThat(frames.next().getSnapshot().getExecution())
                .isEqualTo(run.history().get(0).getExecution());
        assertThat(frames.next().getChange()).isEqualTo(run.history().get(1));
        assertThat(frames.next().getChange()).isEqualTo(run.history().get(2));
        run.store(api.store, 1);
        assertThat(frames.next().hasDone()).isTrue();
    }

    @Test
    void watchWaitsNoLongerThanAsked() {
        assertThat(beginRefused(Durations.fromMillis(100)).getCode()).isEqualTo(Status.Code.NOT_FOUND);
        assertThat(beginRefused(Durations.fromSeconds(61)).getDescription())
                .startsWith("begin_within: 61s (expected: ");
        assertThat(beginRefused(Durations.fromMillis(-1)).getDescription())
                .startsWith("begin_within: -0.001s (expected: ");
        Status beyond = beginRefused(com.google.protobuf.Duration.newBuilder()
                .setSeconds(Long.MAX_VALUE)
                .setNanos(Integer.MAX_VALUE)
                .build());
        assertThat(beyond.getCode()).as("beyond every duration").isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(beyond.getDescription()).startsWith("begin_within: seconds 9223372036854775807, nanos 2147483647 (");
    }

    private static Status beginRefused(com.google.protobuf.Duration within) {
        return catchThrowableOfType(StatusRuntimeException.class, () -> stub().watchExecution(begin("nobody", within))
                        .next())
                .getStatus();
    }

    private static WatchExecutionRequest begin(String id, com.google.protobuf.Duration within) {
        return WatchExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setBeginWithin(within)
                .build();
    }

    @Test
    void viewerThatGoesAwayLeavesNothingBehind() throws Exception {
        new Run("default", "gone-1").message("m1", "a").store(api.store, 1);
        WatchService watches = api.part(WatchService.class);
        await().until(() -> watches.feeds() == 0);
        Context.CancellableContext context = Context.current().withCancellation();
        context.run(() -> assertThat(
                        stub().watchExecution(watch("gone-1", "")).next().hasSnapshot())
                .isTrue());
        assertThat(watches.feeds()).isEqualTo(1);
        context.cancel(null);
        await().until(() -> watches.feeds() == 0);
        Stream stream = Stream.open("http://localhost:" + api.httpPort() + "/v1/executions/gone-1:watch", null);
        stream.take(1);
        assertThat(watches.feeds()).isEqualTo(1);
        stream.close();
        await().until(() -> watches.feeds() == 0);
    }

    @Test
    void viewerThatDoesNotReadIsGivenNoMoreThanFits() {
        Run run = new Run("default", "slow-1").message("m1", "a").store(api.store, 1);
        Iterator<WatchExecutionResponse> frames =
                stub().withDeadlineAfter(60, TimeUnit.SECONDS).watchExecution(watch("slow-1", ""));
        assertThat(frames.next().hasSnapshot()).isTrue();
        // 12 MB in 600 changes: more than the transport takes, so most of it must wait or be folded.
        run.grow("m1", 600, "x".repeat(20_000)).phase(Phase.PHASE_COMPLETED).store(api.store, 3);
        run.ring(api.bell, 3);
        int count = 0;
        boolean anew = false;
        long version = 0;
        boolean done = false;
        while (frames.hasNext()) {
            WatchExecutionResponse frame = frames.next();
            count++;
            anew |= frame.hasSnapshot();
            version = frame.hasChange() ? frame.getChange().getVersion() : version;
            version = frame.getSnapshot().hasExecution()
                    ? frame.getSnapshot().getExecution().getVersion()
                    : version;
            done |= frame.hasDone();
        }
        assertThat(done).isTrue();
        assertThat(version).isEqualTo(603);
        assertThat(anew).isTrue();
        assertThat(count).isLessThan(450);
    }

    @Test
    void healthAndReflectionAnswer() throws Exception {
        assertThat(HealthGrpc.newBlockingStub(channel)
                        .check(HealthCheckRequest.newBuilder()
                                .setService("runcast.v1.ExecutionService")
                                .build())
                        .getStatus())
                .isEqualTo(ServingStatus.SERVING);
        CompletableFuture<List<String>> services = new CompletableFuture<>();
        StreamObserver<ServerReflectionRequest> asking = ServerReflectionGrpc.newStub(channel)
                .serverReflectionInfo(new StreamObserver<>() {
                    @Override
                    public void onNext(ServerReflectionResponse response) {
                        services.complete(response.getListServicesResponse().getServiceList().stream()
                                .map(ServiceResponse::getName)
                                .toList());
                    }

                    @Override
                    public void onError(Throwable failure) {
                        services.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {}
                });
        asking.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
        assertThat(services.get(10, TimeUnit.SECONDS)).contains("runcast.v1.ExecutionService");
        asking.onCompleted();
    }

    @Test
    void portThatIsTakenIsSaidWithWhatToDo() {
        int taken = api.part(GrpcServer.class).port();
        assertThatThrownBy(() -> ApiApplication.builder()
                        .run("--runcast.api.http-port=0", "--runcast.api.grpc-port=" + taken)
                        .close())
                .hasStackTraceContaining("expected: a free port; runcast.api.grpc-port sets another");
    }

    @Test
    void doorWithoutATokenFileDoesNotOpenToTheWorld() {
        assertThatThrownBy(() -> ApiApplication.builder()
                        .run("--runcast.api.http-port=0", "--runcast.api.grpc-port=0", "--runcast.api.address=0.0.0.0")
                        .close())
                .hasStackTraceContaining(
                        "address: 0.0.0.0 without a token file (expected: a loopback address, or a token file)");
    }

    private static GetExecutionRequest get(String id, long version) {
        return GetExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setAtVersion(version)
                .build();
    }

    private static WatchExecutionRequest watch(String id, String cursor) {
        return WatchExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setCursor(cursor)
                .build();
    }

    private static ExecutionServiceGrpc.ExecutionServiceBlockingStub stub() {
        return ExecutionServiceGrpc.newBlockingStub(channel);
    }
}
