package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.batch;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import com.google.rpc.ErrorInfo;
import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Attach;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdateResponse;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.Standing;
import dev.runcast.v1.Update;
import io.grpc.CallOptions;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Bytes, headers and records that no honest client makes; a runner on another stream goes on all the while. */
class BadFrameIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    static EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    static RunningDoor door;

    @SuppressWarnings("NullAway.Init")
    private static Runner neighbour;

    private static long neighbours;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        door = RunningDoor.start(kafka);
        neighbour = Runner.open(door.channel());
    }

    @AfterAll
    static void stop() {
        door.close();
        kafka.close();
    }

    @BeforeEach
    @AfterEach
    void theNeighbourGoesOn() {
        neighbours++;
        neighbour.send(batch("neighbour", neighbours, 1)).awaitAck("neighbour", neighbours);
        assertThat(neighbour.refusals()).isEmpty();
    }

    static Stream<Arguments> bytesThatAreNoMessage() {
        byte[] deep = new byte[20_000];
        for (int level = 0; level < 10_000; level++) {
            deep[level] = (byte) (15 << 3 | 3);
            deep[10_000 + level] = (byte) (15 << 3 | 4);
        }
        byte[] random = new byte[500];
        new Random(11).nextBytes(random);
        random[0] = (byte) 0xff;
        return Stream.of(
                Arguments.of("10,000 levels of groups", deep),
                Arguments.of("a group that does not end", new byte[] {15 << 3 | 3}),
                Arguments.of("a length beyond the end", new byte[] {0x0a, (byte) 0xff, (byte) 0xff, 0x03, 1}),
                Arguments.of("a number that does not end", new byte[] {
                    8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1
                }),
                Arguments.of("half a character in a text", request("XYZ", new byte[] {(byte) 0xed, (byte) 0xa0, (byte) 0x80
                })),
                Arguments.of("an overlong NUL in a text", request("XY", new byte[] {(byte) 0xc0, (byte) 0x80})),
                Arguments.of("random bytes", random));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("bytesThatAreNoMessage")
    void bytesThatAreNoMessageAreInvalid(String name, byte[] bytes) {
        StatusRuntimeException failure = refused(bytes);
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(failure.getStatus().getDescription())
                .isEqualTo("request: bytes that are no message (expected: a PublishUpdateRequest)");
    }

    /** What JSON calls 10,000 levels is a string to the contract, and carried as it is. */
    @Test
    void tenThousandLevelsOfJsonInAnArgumentAreCarriedVerbatim() {
        String deep = "[".repeat(10_000) + "]".repeat(10_000);
        Runner runner = Runner.open(door.channel());
        runner.send(batch("deep", 1, 0).addUpdates(Batches.message("m1", deep))).awaitAck("deep", 1);
        assertThat(Log.of(kafka)
                        .batches("default/deep")
                        .get(0)
                        .getUpdates(0)
                        .getEntryUpserted()
                        .getEntry()
                        .getMessage()
                        .getText())
                .isEqualTo(deep);
        runner.cancel();
    }

    /** A message within the transport's limit can hold a million fields that nobody knows. */
    @Test
    void floodOfUnknownFieldsIsRefusedBySizeAndHarmsNobody() {
        Runner runner = Runner.open(door.channel());
        for (int i = 0; i < 5; i++) {
            runner.send(PublishUpdatesRequest.newBuilder()
                    .setBatch(batch("flood", 1, 1).setUpdates(0, flooded(600_000)))
                    .build());
        }
        assertThat(runner.awaitRefusal().getMessage()).matches("update: \\d+ bytes \\(expected: at most 262144.*\\)");
        // What fits is carried: an older door does not take a newer contract's fields away.
        runner.send(batch("flood", 1, 0).addUpdates(flooded(50_000))).awaitAck("flood", 1);
        assertThat(Log.of(kafka)
                        .batches("default/flood")
                        .get(0)
                        .getUpdates(0)
                        .getUnknownFields()
                        .asMap())
                .hasSize(50_000);
        runner.cancel();
    }

    @Test
    void metadataOverEightKibibytesIsRefused() throws Exception {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("x-long", Metadata.ASCII_STRING_MARSHALLER), "x".repeat(5 * 1024));
        headers.put(Metadata.Key.of("x-long-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[4 * 1024]);
        StatusRuntimeException failure = catchThrowableOfType(
                StatusRuntimeException.class, () -> IngestServiceGrpc.newBlockingStub(
                                door.channel(MetadataUtils.newAttachHeadersInterceptor(headers)))
                        .publishUpdate(PublishUpdateRequest.newBuilder()
                                .setBatch(Batches.request("e", "r"))
                                .build()));
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(failure.getStatus().getDescription())
                .matches("metadata: 1\\d{4} bytes \\(expected: at most 8192\\)");
        assertThat(Objects.requireNonNull(StatusProto.fromThrowable(failure))
                        .getDetails(0)
                        .unpack(ErrorInfo.class)
                        .getReason())
                .isEqualTo("TOO_LARGE");
    }

    @Test
    void garbageAmongTheSignalsIsPassedOver() {
        Log log = Log.of(kafka);
        ExecutionKey key = new ExecutionKey("default", "signalled");
        for (int partition = 0; partition < 4; partition++) {
            write(log, partition, null, new byte[] {1});
            write(log, partition, null, null);
            write(log, partition, "no slash".getBytes(UTF_8), null);
            write(log, partition, "a/b/c".getBytes(UTF_8), new byte[0]);
            write(log, partition, RecordCodec.key(key), new byte[] {(byte) 0xff, 1, 2});
            write(log, partition, RecordCodec.key(key), level("other").toByteArray());
        }
        Runner runner = Runner.open(door.channel());
        runner.send(PublishUpdatesRequest.newBuilder()
                .setAttach(Attach.newBuilder()
                        .setExecutionId("signalled")
                        .setWriter(Batches.RUNNER)
                        .setEpoch(Batches.EPOCH))
                .build());
        assertThat(runner.awaitSignals(1).getStanding()).isEqualTo(Standing.STANDING_UNSPECIFIED);
        log.write(new ProducerRecord<>(
                Topic.SIGNALS.topicName(),
                RecordCodec.key(key),
                level("signalled").toByteArray()));
        assertThat(runner.awaitSignals(2).getStanding()).isEqualTo(Standing.STANDING_ADOPTED);
        // A door that starts finds the same and opens.
        try (RunningDoor another = RunningDoor.start(kafka)) {
            Runner.open(another.channel()).send(batch("opened", 1, 1)).awaitAck("opened", 1);
        }
        runner.cancel();
    }

    private static ExecutionSignals level(String execution) {
        return ExecutionSignals.newBuilder()
                .setTenant("default")
                .setExecutionId(execution)
                .setVersion(1)
                .setEpoch(Batches.EPOCH)
                .setPhase(Phase.PHASE_RUNNING)
                .build();
    }

    @SuppressWarnings("NullAway") // Kafka takes null keys and values; its types do not say so.
    private static void write(
            Log log,
            int partition,
            byte @org.jspecify.annotations.Nullable [] key,
            byte @org.jspecify.annotations.Nullable [] value) {
        log.write(new ProducerRecord<>(Topic.SIGNALS.topicName(), partition, key, value));
    }

    private static Update flooded(int fields) {
        UnknownFieldSet.Builder flood = UnknownFieldSet.newBuilder();
        for (int field = 0; field < fields; field++) {
            flood.addField(
                    1000 + field, UnknownFieldSet.Field.newBuilder().addVarint(1).build());
        }
        return Batches.text("x").toBuilder().setUnknownFields(flood.build()).build();
    }

    /** A request whose text has other bytes in place of its own. */
    private static byte[] request(String text, byte[] bytes) {
        byte[] whole = PublishUpdateRequest.newBuilder()
                .setBatch(Batches.request("e", "r").setUpdates(0, Batches.text(text)))
                .build()
                .toByteArray();
        int at = ByteString.copyFrom(whole).toStringUtf8().lastIndexOf(text);
        System.arraycopy(bytes, 0, whole, at, bytes.length);
        return whole;
    }

    private static StatusRuntimeException refused(byte[] bytes) {
        MethodDescriptor<byte[], PublishUpdateResponse> method =
                IngestServiceGrpc.getPublishUpdateMethod().toBuilder(
                                new AsTheyAre(),
                                IngestServiceGrpc.getPublishUpdateMethod().getResponseMarshaller())
                        .build();
        return catchThrowableOfType(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(door.channel(), method, CallOptions.DEFAULT, bytes));
    }

    /** Sends bytes as they are. */
    private static final class AsTheyAre implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            throw new UnsupportedOperationException("only sent");
        }
    }
}
