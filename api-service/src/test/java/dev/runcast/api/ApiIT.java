package dev.runcast.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.api.door.GrpcServer;
import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.embedded.EmbeddedRedis;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import dev.runcast.store.redis.RedisChangeBell;
import dev.runcast.store.redis.RedisSettings;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

/** The service on a real Redis and a MongoDB wire server, with a writer beside it as the sink would be. */
class ApiIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @SuppressWarnings("NullAway.Init")
    private EmbeddedRedis redis;

    @SuppressWarnings("NullAway.Init")
    private EmbeddedMongo mongo;

    @SuppressWarnings("NullAway.Init")
    private MongoExecutionStore store;

    @SuppressWarnings("NullAway.Init")
    private RedisChangeBell bell;

    @SuppressWarnings("NullAway.Init")
    private ConfigurableApplicationContext service;

    @SuppressWarnings("NullAway.Init")
    private ManagedChannel channel;

    @BeforeEach
    void start() {
        redis = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory());
        mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder));
        store = MongoExecutionStore.connect(MongoSettings.embedded(mongo.connectionString()));
        store.prepare().block();
        bell = RedisChangeBell.connect(RedisSettings.of(redis.uri()));
        service = ApiApplication.builder()
                .run(
                        "--runcast.api.http-port=0",
                        "--runcast.api.grpc-port=0",
                        "--runcast.api.store-timeout=3s",
                        "--runcast.api.watch.poll-every=200ms",
                        "--runcast.mongo.uri=" + mongo.connectionString(),
                        "--runcast.mongo.timeout=2s",
                        "--runcast.redis.uri=" + redis.uri(),
                        "--logging.level.root=WARN");
        channel = NettyChannelBuilder.forAddress(
                        "localhost", service.getBean(GrpcServer.class).port())
                .usePlaintext()
                .build();
    }

    @AfterEach
    void stop() throws InterruptedException {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        service.close();
        bell.close();
        store.close();
        mongo.close();
        redis.close();
    }

    @Test
    void runIsReadAsItWasWrittenAndWatchedToItsEnd() {
        Run run = new Run("default", "run-1").message("m1", "Zürich 東京 🚆").store(store, 1);
        Viewer viewer = Viewer.of(stub(), "run-1", "");
        viewer.awaitVersion(2);
        run.toolCall("t1", "read", "{\"a\":1}").result("t1", "r".repeat(200_000));
        run.grow("m1", 20, " and on").phase(Phase.PHASE_COMPLETED);
        run.ring(bell, 3).store(store, 3);
        viewer.awaitEnd();
        assertThat(viewer.changes()).isEqualTo(run.history().subList(2, (int) run.version()));
        ExecutionServiceGrpc.ExecutionServiceBlockingStub reader = ExecutionServiceGrpc.newBlockingStub(channel);
        List<Entry> entries = reader.listEntries(
                        ListEntriesRequest.newBuilder().setExecutionId("run-1").build())
                .getEntriesList();
        assertThat(entries.get(0).getMessage().getText()).isEqualTo("Zürich 東京 🚆" + " and on".repeat(20));
        assertThat(entries.get(1).getToolCall().getResult()).hasSize(200_000);
        assertThat(reader.listChanges(ListChangesRequest.newBuilder()
                                .setExecutionId("run-1")
                                .setPageSize(1000)
                                .build())
                        .getChangesList())
                .isEqualTo(run.history());
        assertThat(reader.getExecution(GetExecutionRequest.newBuilder()
                                .setExecutionId("run-1")
                                .setAtVersion(2)
                                .build())
                        .getExecution()
                        .getPhase())
                .isEqualTo(Phase.PHASE_RUNNING);
        assertThat(reader.listExecutions(ListExecutionsRequest.newBuilder()
                                .setFilter("phase = COMPLETED AND agent = planner")
                                .build())
                        .getExecutionsCount())
                .isEqualTo(1);
    }

    @Test
    void losingRedisDelaysViewersAndLosesNothing() {
        Run run = new Run("default", "run-2").message("m1", "a").store(store, 1);
        Viewer viewer = Viewer.of(stub(), "run-2", "");
        viewer.awaitVersion(2);
        redis.stop();
        run.grow("m1", 10, "b").store(store, 3);
        viewer.awaitVersion(12);
        redis.restart();
        run.grow("m1", 10, "c").store(store, 13);
        viewer.awaitVersion(22);
        run.phase(Phase.PHASE_COMPLETED).store(store, 23);
        viewer.awaitEnd();
        assertThat(viewer.versions())
                .isEqualTo(LongStream.rangeClosed(3, 23).boxed().toList());
    }

    @Test
    void losingMongoStopsNoViewThatIsOpen() {
        Run run = new Run("default", "run-3").message("m1", "a").store(store, 1);
        Viewer viewer = Viewer.of(stub(), "run-3", "");
        viewer.awaitVersion(2);
        mongo.stop();
        run.grow("m1", 10, "b").ring(bell, 3);
        viewer.awaitVersion(12);
        Viewer late = Viewer.of(stub(), "run-3", "");
        late.awaitEnd();
        assertThat(Status.fromThrowable(late.failed()).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
        mongo.restart();
        run.phase(Phase.PHASE_COMPLETED).ring(bell, 13);
        await().atMost(Duration.ofSeconds(30)).ignoreExceptions().until(() -> {
            run.store(store, 3);
            return true;
        });
        viewer.awaitEnd();
        assertThat(viewer.versions())
                .isEqualTo(LongStream.rangeClosed(3, 13).boxed().toList());
    }

    private ExecutionServiceGrpc.ExecutionServiceStub stub() {
        return ExecutionServiceGrpc.newStub(channel);
    }

    /** Keeps what it is given. */
    private static final class Viewer implements StreamObserver<WatchExecutionResponse> {
        private final List<WatchExecutionResponse> frames = new CopyOnWriteArrayList<>();
        private volatile boolean over;
        private volatile @Nullable Throwable failure;

        static Viewer of(ExecutionServiceGrpc.ExecutionServiceStub stub, String id, String cursor) {
            Viewer viewer = new Viewer();
            stub.watchExecution(
                    WatchExecutionRequest.newBuilder()
                            .setExecutionId(id)
                            .setCursor(cursor)
                            .build(),
                    viewer);
            return viewer;
        }

        @Override
        public void onNext(WatchExecutionResponse frame) {
            frames.add(frame);
        }

        @Override
        public void onError(Throwable thrown) {
            failure = thrown;
            over = true;
        }

        @Override
        public void onCompleted() {
            over = true;
        }

        Throwable failed() {
            Throwable thrown = failure;
            return thrown == null ? new StatusRuntimeException(Status.OK) : thrown;
        }

        List<Change> changes() {
            return frames.stream()
                    .filter(WatchExecutionResponse::hasChange)
                    .map(WatchExecutionResponse::getChange)
                    .toList();
        }

        List<Long> versions() {
            return changes().stream().map(Change::getVersion).toList();
        }

        void awaitVersion(long version) {
            await().atMost(Duration.ofSeconds(20)).until(() -> frames.stream()
                    .anyMatch(frame -> frame.getChange().getVersion() == version
                            || frame.getSnapshot().getExecution().getVersion() == version));
        }

        void awaitEnd() {
            await().atMost(Duration.ofSeconds(30)).until(() -> over);
        }
    }
}
