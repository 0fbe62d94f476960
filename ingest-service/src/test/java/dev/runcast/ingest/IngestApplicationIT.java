package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.EPOCH;
import static dev.runcast.ingest.Batches.RUNNER;
import static dev.runcast.ingest.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.Merge;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Attach;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.grpc.Status;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

class IngestApplicationIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    static EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    static RunningDoor door;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        door = RunningDoor.start(kafka);
    }

    @AfterAll
    static void stop() {
        door.close();
        kafka.close();
    }

    @Test
    void streamIsAckedWhenItIsInTheLogByteForByte() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("stream-1", 1, 3)).send(batch("stream-1", 4, 2));
        runner.awaitAck("stream-1", 5);
        List<UpdateBatch> logged = Log.of(kafka).batches("default/stream-1");
        assertThat(logged.stream().map(stored -> stored.toBuilder()
                        .clearTenant()
                        .clearReceivedAt()
                        .clearRules()
                        .clearPrincipal()
                        .build()
                        .toByteString()))
                .containsExactly(
                        batch("stream-1", 1, 3).build().toByteString(),
                        batch("stream-1", 4, 2).build().toByteString());
        runner.complete();
        assertThat(runner.awaitEnd().isOk()).isTrue();
    }

    @Test
    void singleUpdateIsAnsweredWhenItIsInTheLog() {
        IngestServiceGrpc.newBlockingStub(door.channel())
                .publishUpdate(PublishUpdateRequest.newBuilder()
                        .setBatch(Batches.request("unary-1", "request-1"))
                        .build());
        assertThat(Log.of(kafka).batches("default/unary-1")).singleElement().satisfies(stored -> {
            assertThat(stored.getRequestId()).isEqualTo("request-1");
            assertThat(stored.getTenant()).isEqualTo("default");
            assertThat(stored.getPrincipal()).isEqualTo("local");
            assertThat(stored.getRules()).isEqualTo(Merge.NEWEST_RULES);
            assertThat(stored.hasReceivedAt()).isTrue();
        });
    }

    @Test
    void heartbeatLiesBesideItsExecution() {
        Runner runner = Runner.open(door.channel())
                .send(batch("alive", 1, 1))
                .send(PublishUpdatesRequest.newBuilder()
                        .setHeartbeat(Heartbeat.newBuilder()
                                .setExecutionId("alive")
                                .setWriter(RUNNER)
                                .setEpoch(EPOCH))
                        .build());
        runner.awaitAck("alive", 1);
        await().untilAsserted(() -> assertThat(partitions(Topic.HEARTBEATS, "default/alive"))
                .isNotEmpty()
                .isEqualTo(partitions(Topic.UPDATES, "default/alive")));
        runner.cancel();
    }

    private static List<Integer> partitions(Topic topic, String key) {
        return Log.of(kafka).records(topic).stream()
                .filter(record -> new String(record.key(), StandardCharsets.UTF_8).equals(key))
                .map(record -> record.partition())
                .distinct()
                .toList();
    }

    @Test
    void signalsAreReadWholeBeforeTheDoorOpensAndThenPushed() {
        Log log = Log.of(kafka);
        log.write(
                RecordCodec.SIGNALS.record(level("told", 3, Phase.PHASE_RUNNING).build()));
        // What is not a level must not keep those behind it from being read.
        log.write(new ProducerRecord<>(
                Topic.SIGNALS.topicName(), "default/told".getBytes(StandardCharsets.UTF_8), new byte[] {1, 2, 3}));
        try (RunningDoor second = RunningDoor.start(kafka)) {
            Runner runner = Runner.open(second.channel())
                    .send(PublishUpdatesRequest.newBuilder()
                            .setAttach(Attach.newBuilder()
                                    .setExecutionId("told")
                                    .setWriter(RUNNER)
                                    .setEpoch(EPOCH))
                            .build());
            assertThat(runner.awaitSignals(1).getStanding()).isEqualTo(Standing.STANDING_ADOPTED);
            log.write(RecordCodec.SIGNALS.record(level("told", 4, Phase.PHASE_RUNNING)
                    .setCancelRequested(true)
                    .build()));
            assertThat(runner.awaitSignals(2).getCancel()).isTrue();
            log.write(RecordCodec.SIGNALS.record(
                    level("told", 5, Phase.PHASE_CANCELLED).build()));
            Signal closed = runner.awaitSignals(3);
            assertThat(closed.getStanding()).isEqualTo(Standing.STANDING_CLOSED);
            assertThat(closed.getOutcome()).isEqualTo(Phase.PHASE_CANCELLED);
            ProducerRecord<byte[], byte[]> gone = new ProducerRecord<>(
                    Topic.SIGNALS.topicName(), RecordCodec.key(new ExecutionKey("default", "told")), null);
            log.write(gone);
        }
    }

    private static ExecutionSignals.Builder level(String execution, long version, Phase phase) {
        return ExecutionSignals.newBuilder()
                .setTenant("default")
                .setExecutionId(execution)
                .setVersion(version)
                .setEpoch(EPOCH)
                .setPhase(phase);
    }

    @Test
    void tenantComesFromTheTokenAndRolesAreKept() throws IOException {
        Path tokens = Files.writeString(folder.resolve("tokens"), """
                token-of-acme-runner   acme    runner-1  runner
                token-of-globex-runner globex  runner-2  runner
                token-of-acme-viewer   acme    viewer-1  viewer
                token-of-acme-operator acme    dana      operator
                """);
        try (RunningDoor guarded = RunningDoor.start(kafka, "runcast.ingest.token-file=" + tokens)) {
            Runner acme = Runner.open(guarded.channel("token-of-acme-runner")).send(batch("shared", 1, 1));
            Runner globex = Runner.open(guarded.channel("token-of-globex-runner"))
                    .send(batch("shared", 1, 2).setTenant("acme"));
            acme.awaitAck("shared", 1);
            globex.awaitAck("shared", 2);
            assertThat(Log.of(kafka).batches("acme/shared"))
                    .singleElement()
                    .satisfies(stored -> assertThat(stored.getPrincipal()).isEqualTo("runner-1"));
            assertThat(Log.of(kafka).batches("globex/shared"))
                    .singleElement()
                    .satisfies(stored -> assertThat(stored.getTenant()).isEqualTo("globex"));

            Writer operator =
                    Writer.newBuilder().setKind(WriterKind.WRITER_KIND_OPERATOR).build();
            acme.send(Batches.request("shared", "request-1").setWriter(operator));
            Refusal refusal = acme.awaitRefusal();
            assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_NOT_PERMITTED);
            assertThat(refusal.getMessage())
                    .isEqualTo("writer.kind: WRITER_KIND_OPERATOR (expected: [WRITER_KIND_RUNNER, WRITER_KIND_WORKFLOW]"
                            + " for the role RUNNER)");
            Runner dana = Runner.open(guarded.channel("token-of-acme-operator"))
                    .send(Batches.request("shared", "request-1").setWriter(operator));
            await().until(() -> dana.acks().size() == 1);

            assertThat(Runner.open(guarded.channel("token-of-acme-viewer"))
                            .awaitEnd()
                            .getCode())
                    .isEqualTo(Status.Code.PERMISSION_DENIED);
            assertThat(Runner.open(guarded.channel("no-such-token-here"))
                            .awaitEnd()
                            .getCode())
                    .isEqualTo(Status.Code.UNAUTHENTICATED);
            assertThat(Runner.open(guarded.channel()).awaitEnd().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
        }
    }

    @Test
    void reflectionListsTheServices() {
        CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
        StreamObserver<ServerReflectionRequest> ask = ServerReflectionGrpc.newStub(door.channel())
                .serverReflectionInfo(new StreamObserver<>() {
                    @Override
                    public void onNext(ServerReflectionResponse response) {
                        answer.complete(response);
                    }

                    @Override
                    public void onError(Throwable failure) {
                        answer.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {}
                });
        ask.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
        assertThat(answer.join().getListServicesResponse().getServiceList())
                .extracting(ServiceResponse::getName)
                .contains("runcast.v1.IngestService", "grpc.health.v1.Health");
        ask.onCompleted();
    }

    @Test
    void byItselfTheServiceShowsHealthAndMetrics() throws IOException, InterruptedException {
        try (ConfigurableApplicationContext context = alone()) {
            await().until(context.getBean(IngestServer.class)::isServing);
            String actuator =
                    "http://127.0.0.1:" + context.getEnvironment().getProperty("local.server.port") + "/actuator/";
            await().untilAsserted(
                            () -> assertThat(get(actuator + "health/readiness")).contains("\"status\":\"UP\""));
            assertThat(get(actuator + "health")).contains("\"ingest\"");
            assertThat(get(actuator + "metrics/runcast.ingest.updates.accepted"))
                    .contains("\"measurements\"");
        }
    }

    private static ConfigurableApplicationContext alone() {
        SpringApplicationBuilder builder = IngestApplication.builder();
        return builder.run(
                "--server.port=0",
                "--runcast.ingest.port=0",
                "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers());
    }

    private static String get(String uri) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(uri)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
