package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import com.google.rpc.ErrorInfo;
import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever comes in: an error that names the value and what was expected, and nobody else is disturbed. */
class BadInputIT {
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

    static Stream<Arguments> badBatches() {
        long dayAhead = Instant.now().plusSeconds(86_400).toEpochMilli();
        return Stream.of(
                Arguments.of("empty id", batch("", 1, 1), "INVALID", "execution_id: \"\" (expected: "),
                Arguments.of(
                        "long id",
                        batch("e".repeat(65), 1, 1),
                        "INVALID",
                        "execution_id: \"" + "e".repeat(65) + "\" (expected: "),
                Arguments.of("id with a blank", batch("a b", 1, 1), "INVALID", "execution_id: \"a b\" (expected: "),
                Arguments.of("id with a slash", batch("a/b", 1, 1), "INVALID", "execution_id: \"a/b\" (expected: "),
                Arguments.of("sequence 0", batch("bad", 0, 1), "INVALID", "first_sequence: 0 (expected: "),
                Arguments.of(
                        "sequence 2^63",
                        batch("bad", Long.MIN_VALUE, 1),
                        "INVALID",
                        "first_sequence: -9223372036854775808 (expected: "),
                Arguments.of(
                        "sequences beyond 2^63",
                        batch("bad", Long.MAX_VALUE, 2),
                        "INVALID",
                        "first_sequence: 9223372036854775807 (expected: at most "),
                Arguments.of(
                        "epoch a day ahead",
                        batch("bad", 1, 1).setEpoch(dayAhead),
                        "EPOCH_AHEAD",
                        "epoch: " + dayAhead + " (expected: at most "),
                Arguments.of("epoch 0", batch("bad", 1, 1).setEpoch(0), "INVALID", "epoch: 0 (expected: 1 or greater"),
                Arguments.of("epoch -1", batch("bad", 1, 1).setEpoch(-1), "INVALID", "epoch: -1 (expected: "),
                Arguments.of("no writer", batch("bad", 1, 1).clearWriter(), "INVALID", "writer: absent (expected: "),
                Arguments.of(
                        "unknown kind of writer",
                        batch("bad", 1, 1).setWriter(Writer.newBuilder().setKindValue(77)),
                        "INVALID",
                        "writer.kind: "),
                Arguments.of(
                        "workflow with sequences",
                        batch("bad", 1, 1).setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_WORKFLOW)),
                        "INVALID",
                        "first_sequence: 1 (expected: a request_id"),
                Arguments.of(
                        "neither sequence nor request", batch("bad", 1, 1).clearPosition(), "INVALID", "(expected: "),
                Arguments.of("no updates", batch("empty", 1, 0), "INVALID", "updates: none (expected: 1 to 256)"),
                Arguments.of(
                        "two updates with one request",
                        Batches.request("bad", "request-1").addUpdates(Batches.text("x")),
                        "INVALID",
                        "updates: 2 (expected: exactly 1 with a request_id)"),
                Arguments.of(
                        "bad request id", Batches.request("bad", "?"), "INVALID", "request_id: \"?\" (expected: "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badBatches")
    void badBatchIsRefusedAndItsNeighbourIsNotDisturbed(
            String name, UpdateBatch.Builder bad, String reason, String message) {
        Refusal refusal = refusalOf(name, bad);
        assertThat(refusal.getReason().name()).isEqualTo("REJECTION_REASON_" + reason);
        assertThat(refusal.getMessage()).contains(message);
        assertThat(refusal.getRetryable()).isEqualTo(reason.equals("EPOCH_AHEAD"));
        assertThat(refusal.getSequence()).isEqualTo(bad.getFirstSequence());
        assertThat(refusal.getRequestId()).isEqualTo(bad.getRequestId());
    }

    static Stream<Arguments> badUpdates() {
        return Stream.of(
                Arguments.of(
                        "unknown kind of change",
                        Update.newBuilder()
                                .setUnknownFields(UnknownFieldSet.newBuilder()
                                        .addField(
                                                99,
                                                UnknownFieldSet.Field.newBuilder()
                                                        .addLengthDelimited(ByteString.copyFromUtf8("from the future"))
                                                        .build())
                                        .build())
                                .build(),
                        "INVALID",
                        "change: field [99] (expected: a kind of change that the contract knows)"),
                Arguments.of(
                        "unknown enum value",
                        Update.newBuilder()
                                .setPhaseChanged(PhaseChanged.newBuilder().setPhaseValue(99))
                                .build(),
                        "INVALID",
                        "phase_changed.phase: "),
                Arguments.of(
                        "unknown text field",
                        Update.newBuilder()
                                .setTextAppended(TextAppended.newBuilder()
                                        .setEntryId("a")
                                        .setFieldValue(99)
                                        .setText("x"))
                                .build(),
                        "INVALID",
                        "text_appended.field: "),
                Arguments.of(
                        "phase that nobody may say",
                        Update.newBuilder()
                                .setPhaseChanged(PhaseChanged.newBuilder().setPhaseValue(3))
                                .build(),
                        "INVALID",
                        "phase_changed.phase: "),
                Arguments.of(
                        "offset below zero",
                        Update.newBuilder()
                                .setTextAppended(TextAppended.newBuilder()
                                        .setEntryId("a")
                                        .setFieldValue(1)
                                        .setOffset(-1))
                                .build(),
                        "INVALID",
                        "text_appended.offset: -1 (expected: "),
                Arguments.of(
                        "update over 256 KiB",
                        Batches.text("x".repeat(256 * 1024)),
                        "TOO_LARGE",
                        "bytes (expected: at most 262144"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badUpdates")
    void badUpdateIsRefusedByItsSequenceAndWhatStandsBeforeItIsTaken(
            String name, Update bad, String reason, String message) {
        String execution = name.replace(' ', '-');
        Runner runner = Runner.open(door.channel());
        runner.send(batch(execution, 1, 2).addUpdates(bad).addUpdates(Batches.text("after")));
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getReason().name()).isEqualTo("REJECTION_REASON_" + reason);
        assertThat(refusal.getMessage()).contains(message);
        assertThat(refusal.getSequence()).isEqualTo(3);
        assertThat(refusal.getExpectedSequence()).isEqualTo(3);
        assertThat(refusal.getRetryable()).isFalse();
        runner.awaitAck(execution, 2);
        runner.send(batch(execution, 3, 2));
        runner.awaitAck(execution, 4);
        runner.cancel();
    }

    @Test
    void batchOfTooManyUpdatesIsTakenAsFarAsTheLimit() {
        Runner runner = Runner.open(door.channel()).send(batch("many", 1, 300));
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_TOO_LARGE);
        assertThat(refusal.getMessage()).isEqualTo("updates: 300 (expected: at most 256 in a batch)");
        assertThat(refusal.getSequence()).isEqualTo(257);
        assertThat(refusal.getRetryable()).isTrue();
        runner.awaitAck("many", 256);
        runner.cancel();
    }

    @Test
    void batchOfTooManyBytesIsTakenAsFarAsTheLimit() {
        UpdateBatch.Builder large = batch("large", 1, 0);
        for (int i = 0; i < 6; i++) {
            large.addUpdates(Batches.text("x".repeat(200_000)));
        }
        Runner runner = Runner.open(door.channel()).send(large);
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_TOO_LARGE);
        assertThat(refusal.getMessage()).matches("batch: 12\\d{5} bytes \\(expected: at most 524288\\)");
        assertThat(refusal.getSequence()).isEqualTo(3);
        runner.awaitAck("large", 2);
        runner.cancel();
    }

    @Test
    void unknownFieldsReachTheLog() {
        UnknownFieldSet future = UnknownFieldSet.newBuilder()
                .addField(1000, UnknownFieldSet.Field.newBuilder().addVarint(7).build())
                .build();
        Update update = Batches.text("x").toBuilder().setUnknownFields(future).build();
        Runner runner = Runner.open(door.channel())
                .send(batch("future", 1, 0).addUpdates(update).setUnknownFields(future));
        runner.awaitAck("future", 1);
        UpdateBatch logged = Log.of(kafka).batches("default/future").get(0);
        assertThat(logged.getUnknownFields()).isEqualTo(future);
        assertThat(logged.getUpdates(0)).isEqualTo(update);
        runner.cancel();
    }

    @Test
    void garbageOnAStreamIsAnsweredAndTheStreamGoesOn() {
        Random random = new Random(7);
        List<PublishUpdatesResponse> told = new CopyOnWriteArrayList<>();
        StreamObserver<byte[]> out = ClientCalls.asyncBidiStreamingCall(
                door.channel()
                        .newCall(
                                IngestServiceGrpc.getPublishUpdatesMethod().<byte[], PublishUpdatesResponse>toBuilder(
                                                new Bytes(),
                                                IngestServiceGrpc.getPublishUpdatesMethod()
                                                        .getResponseMarshaller())
                                        .build(),
                                CallOptions.DEFAULT),
                collector(told, new CompletableFuture<>()));
        for (int i = 0; i < 50; i++) {
            byte[] garbage = new byte[1 + random.nextInt(200)];
            random.nextBytes(garbage);
            // A group that never ends: no random bytes can make it a message.
            garbage[0] = (byte) 0xff;
            out.onNext(garbage);
        }
        out.onNext(Batches.frame(batch("after-garbage", 1, 1)).toByteArray());
        Awaitility.await().until(() -> told.stream().anyMatch(PublishUpdatesResponse::hasAck));
        assertThat(told.stream().filter(PublishUpdatesResponse::hasRefusal))
                .hasSize(50)
                .allSatisfy(frame -> assertThat(frame.getRefusal().getMessage())
                        .isEqualTo("frame: bytes that are no message (expected: a PublishUpdatesRequest)"));
        out.onCompleted();
    }

    @Test
    void garbageInACallIsInvalid() {
        MethodDescriptor<byte[], ?> method = IngestServiceGrpc.getPublishUpdateMethod().toBuilder(
                        new Bytes(), IngestServiceGrpc.getPublishUpdateMethod().getResponseMarshaller())
                .build();
        StatusRuntimeException failure = catchThrowableOfType(
                StatusRuntimeException.class,
                () -> ClientCalls.blockingUnaryCall(
                        door.channel(), method, CallOptions.DEFAULT, new byte[] {(byte) 0xff, 1, 2}));
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(failure.getStatus().getDescription()).contains("expected: a PublishUpdateRequest");
    }

    @Test
    void messageOverFourMebibytesEndsItsStreamWithTheLimit() {
        Runner runner = Runner.open(door.channel());
        runner.send(batch("huge", 1, 0).addUpdates(Batches.text("x".repeat(5 * 1024 * 1024))));
        Status end = runner.awaitEnd();
        assertThat(end.getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(end.getDescription()).contains("4194304");
    }

    @Test
    void refusedCallSaysWhatFieldAndWhatWasExpected() throws InvalidProtocolBufferException {
        ErrorInfo info = refusedCall(Batches.request("a b", "request-1"), Status.Code.INVALID_ARGUMENT);
        assertThat(info.getReason()).isEqualTo("INVALID");
        assertThat(info.getDomain()).isEqualTo("runcast.dev");
        assertThat(info.getMetadataMap()).containsEntry("field", "execution_id").containsEntry("value", "\"a b\"");

        info = refusedCall(
                Batches.request("e", "request-1").setUpdates(0, Update.getDefaultInstance()),
                Status.Code.INVALID_ARGUMENT);
        assertThat(info.getReason()).isEqualTo("INVALID");

        info = refusedCall(batch("e", 1, 1), Status.Code.INVALID_ARGUMENT);
        assertThat(info.getMetadataMap()).containsEntry("field", "batch.first_sequence");

        info = refusedCall(
                Batches.request("e", "request-1").setUpdates(0, Batches.text("x".repeat(300_000))),
                Status.Code.INVALID_ARGUMENT);
        assertThat(info.getReason()).isEqualTo("TOO_LARGE");
        assertThat(info.getMetadataMap().get("expected")).startsWith("at most 262144");
    }

    private static ErrorInfo refusedCall(UpdateBatch.Builder batch, Status.Code code)
            throws InvalidProtocolBufferException {
        StatusRuntimeException failure = catchThrowableOfType(
                StatusRuntimeException.class, () -> IngestServiceGrpc.newBlockingStub(door.channel())
                        .publishUpdate(PublishUpdateRequest.newBuilder()
                                .setBatch(batch)
                                .build()));
        assertThat(failure.getStatus().getCode()).isEqualTo(code);
        com.google.rpc.Status status = StatusProto.fromThrowable(failure);
        assertThat(status).isNotNull();
        for (Any detail : status.getDetailsList()) {
            if (detail.is(ErrorInfo.class)) {
                return detail.unpack(ErrorInfo.class);
            }
        }
        throw new AssertionError("no ErrorInfo in " + status);
    }

    /** What a bad batch is told, while another execution on the same stream goes on before and after it. */
    private static Refusal refusalOf(String name, UpdateBatch.Builder bad) {
        String neighbour = "n-" + Integer.toHexString(name.hashCode());
        Runner runner = Runner.open(door.channel());
        runner.send(batch(neighbour, 1, 1)).send(bad).send(batch(neighbour, 2, 1));
        runner.awaitAck(neighbour, 2);
        Refusal refusal = runner.awaitRefusal();
        assertThat(runner.refusals()).hasSize(1);
        assertThat(runner.ended()).isFalse();
        runner.cancel();
        return refusal;
    }

    private static StreamObserver<PublishUpdatesResponse> collector(
            List<PublishUpdatesResponse> told, CompletableFuture<Status> end) {
        return new StreamObserver<>() {
            @Override
            public void onNext(PublishUpdatesResponse frame) {
                told.add(frame);
            }

            @Override
            public void onError(Throwable failure) {
                end.complete(Status.fromThrowable(failure));
            }

            @Override
            public void onCompleted() {
                end.complete(Status.OK);
            }
        };
    }

    /** Sends bytes as they are. */
    private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
