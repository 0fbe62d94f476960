package dev.runcast.ingest;

import static dev.runcast.ingest.Batches.batch;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.runcast.v1.Attach;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The call for a single update, and the other frames of a stream: what is wrong is said by field, value, expectation. */
class BadCallTest {
    @SuppressWarnings("NullAway.Init")
    private static MemoryDoor door;

    @BeforeAll
    static void start() {
        door = new MemoryDoor(Map.of());
    }

    @AfterAll
    static void stop() {
        door.close();
    }

    /** Nothing of what is refused comes into the log, and the next caller is served. */
    @AfterEach
    void theNextCallerIsServed() throws Exception {
        int before = door.log.appended().size();
        call(Batches.request("neighbour", "request-" + before));
        assertThat(door.log.logged())
                .hasSize(before + 1)
                .allSatisfy(logged -> assertThat(logged.getExecutionId()).isEqualTo("neighbour"));
    }

    static Stream<Arguments> badCalls() {
        long twoHoursAhead = Instant.now().plus(Duration.ofHours(2)).toEpochMilli();
        return Stream.of(
                call("empty id", Batches.request("", "r"), "execution_id", "\"\""),
                call("long id", Batches.request("e".repeat(65), "r"), "execution_id", "\"eee"),
                call("id with a blank", Batches.request("a b", "r"), "execution_id", "\"a b\""),
                call("id with a dot", Batches.request("a.b", "r"), "execution_id", "\"a.b\""),
                call("id with a dollar", Batches.request("$a", "r"), "execution_id", "\"$a\""),
                call("id with a NUL", Batches.request("a\0", "r"), "execution_id", "\"a\\u0000\""),
                call("right-to-left id", Batches.request("\u202ea", "r"), "execution_id", "\"\\u202ea\""),
                call("empty request id", Batches.request("e", ""), "request_id", "\"\""),
                call("long request id", Batches.request("e", "r".repeat(65)), "request_id", "\"rrr"),
                call("no writer", Batches.request("e", "r").clearWriter(), "writer", "absent"),
                call(
                        "kind of writer nobody knows",
                        Batches.request("e", "r").setWriter(Writer.newBuilder().setKindValue(77)),
                        "writer.kind",
                        "77"),
                call(
                        "name of a writer with a dot",
                        Batches.request("e", "r")
                                .setWriter(Batches.RUNNER.toBuilder().setName("a.b")),
                        "writer.name",
                        "\"a.b\""),
                call("sequence", batch("e", 1, 1), "batch.first_sequence", "1"),
                call("sequence 0", batch("e", 0, 1), "batch.first_sequence", "0"),
                call(
                        "sequence 2^63",
                        batch("e", Long.MIN_VALUE, 1),
                        "batch.first_sequence",
                        "-9223372036854775808"),
                call("epoch below 0", Batches.request("e", "r").setEpoch(-1), "epoch", "-1"),
                call(
                        "epoch 2^63",
                        Batches.request("e", "r").setEpoch(Long.MIN_VALUE),
                        "epoch",
                        "-9223372036854775808"),
                Arguments.of(
                        "epoch two hours ahead",
                        Batches.request("e", "r").setEpoch(twoHoursAhead),
                        "EPOCH_AHEAD",
                        "epoch",
                        Long.toString(twoHoursAhead)),
                Arguments.of(
                        "the last epoch",
                        Batches.request("e", "r").setEpoch(Long.MAX_VALUE),
                        "EPOCH_AHEAD",
                        "epoch",
                        "9223372036854775807"),
                call("no update", Batches.request("e", "r").clearUpdates(), "updates", "none"),
                call(
                        "two updates",
                        Batches.request("e", "r").addUpdates(Batches.text("x")),
                        "updates",
                        "2"),
                call(
                        "update of no kind",
                        Batches.request("e", "r").setUpdates(0, Update.getDefaultInstance()),
                        "change",
                        "none"),
                call("long traceparent", Batches.request("e", "r").setTraceparent("x".repeat(129)), "TOO_LARGE", "traceparent", "\"xxx"));
    }

    private static Arguments call(String name, UpdateBatch.Builder batch, String field, String value) {
        return Arguments.of(name, batch, "INVALID", field, value);
    }

    private static Arguments call(
            String name, UpdateBatch.Builder batch, String reason, String field, String value) {
        return Arguments.of(name, batch, reason, field, value);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badCalls")
    void badCallIsRefusedWithFieldValueAndExpectation(
            String name, UpdateBatch.Builder bad, String reason, String field, String value) throws Exception {
        Status status = refusedCall(bad);
        ErrorInfo info = status.getDetails(0).unpack(ErrorInfo.class);
        assertThat(info.getReason()).isEqualTo(reason);
        assertThat(info.getDomain()).isEqualTo("runcast.dev");
        assertThat(info.getMetadataMap()).containsEntry("category", "CALLER").containsEntry("field", field);
        assertThat(info.getMetadataMap().get("value")).startsWith(value);
        assertThat(info.getMetadataMap().get("expected")).isNotBlank();
        assertThat(status.getMessage()).startsWith(field + ": " + value).contains("(expected: ");
        assertThat(status.getDetails(1).unpack(BadRequest.class).getFieldViolations(0).getField())
                .isEqualTo(field);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("dev.runcast.ingest.BadInputIT#badUpdates")
    void badUpdateInACallIsRefused(String name, Update bad, String reason, String message) throws Exception {
        Status status = refusedCall(Batches.request("e", "r").setUpdates(0, bad));
        assertThat(status.getDetails(0).unpack(ErrorInfo.class).getReason()).isEqualTo(reason);
        assertThat(status.getMessage()).contains(message);
    }

    @Test
    void callWithoutABatchIsRefused() throws Exception {
        StatusRuntimeException failure = catchThrowableOfType(
                StatusRuntimeException.class, () -> IngestServiceGrpc.newBlockingStub(door.channel())
                        .publishUpdate(PublishUpdateRequest.getDefaultInstance()));
        Status status = Objects.requireNonNull(StatusProto.fromThrowable(failure));
        assertThat(status.getDetails(0).unpack(ErrorInfo.class).getMetadataMap())
                .containsEntry("field", "batch")
                .containsEntry("value", "absent");
    }

    static Stream<Arguments> badSigns() {
        long ahead = Instant.now().plus(Duration.ofHours(2)).toEpochMilli();
        Attach.Builder attach =
                Attach.newBuilder().setExecutionId("e").setWriter(Batches.RUNNER).setEpoch(Batches.EPOCH);
        Heartbeat.Builder beat = Heartbeat.newBuilder()
                .setExecutionId("e")
                .setWriter(Batches.RUNNER)
                .setEpoch(Batches.EPOCH);
        Writer workflow =
                Writer.newBuilder().setKind(WriterKind.WRITER_KIND_WORKFLOW).build();
        return Stream.of(
                Arguments.of("INVALID", "execution_id: \"\"", frame(attach.clone().setExecutionId(""))),
                Arguments.of("INVALID", "execution_id: \"a.b\"", frame(attach.clone().setExecutionId("a.b"))),
                Arguments.of("INVALID", "epoch: 0", frame(attach.clone().setEpoch(0))),
                Arguments.of("INVALID", "epoch: -9223372036854775808", frame(attach.clone().setEpoch(Long.MIN_VALUE))),
                Arguments.of("EPOCH_AHEAD", "epoch: " + ahead, frame(attach.clone().setEpoch(ahead))),
                Arguments.of("NOT_PERMITTED", "writer.kind: ", frame(attach.clone().setWriter(workflow))),
                Arguments.of("INVALID", "execution_id: \"\"", frame(beat.clone().setExecutionId(""))),
                Arguments.of("INVALID", "execution_id: \"$a\"", frame(beat.clone().setExecutionId("$a"))),
                Arguments.of("INVALID", "epoch: 0", frame(beat.clone().setEpoch(0))),
                Arguments.of("EPOCH_AHEAD", "epoch: " + ahead, frame(beat.clone().setEpoch(ahead))),
                Arguments.of("NOT_PERMITTED", "writer.kind: ", frame(beat.clone().setWriter(workflow))));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("badSigns")
    void badAttachOrHeartbeatIsAnsweredAndTheStreamGoesOn(
            String reason, String message, PublishUpdatesRequest frame) {
        Runner runner = Runner.open(door.channel()).send(frame);
        Refusal refusal = runner.awaitRefusal();
        assertThat(refusal.getReason()).isEqualTo(RejectionReason.valueOf("REJECTION_REASON_" + reason));
        assertThat(refusal.getMessage()).startsWith(message).contains("(expected: ");
        runner.send(batch("neighbour", 1, 1)).awaitAck("neighbour", 1);
        assertThat(door.log.heartbeats()).isEmpty();
        runner.cancel();
    }

    private static PublishUpdatesRequest frame(Attach.Builder attach) {
        return PublishUpdatesRequest.newBuilder().setAttach(attach).build();
    }

    private static PublishUpdatesRequest frame(Heartbeat.Builder heartbeat) {
        return PublishUpdatesRequest.newBuilder().setHeartbeat(heartbeat).build();
    }

    private static Status refusedCall(UpdateBatch.Builder batch) {
        StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, () -> call(batch));
        assertThat(failure).isNotNull();
        assertThat(failure.getStatus().getCode()).isEqualTo(io.grpc.Status.Code.INVALID_ARGUMENT);
        return Objects.requireNonNull(StatusProto.fromThrowable(failure));
    }

    private static void call(UpdateBatch.Builder batch) {
        IngestServiceGrpc.newBlockingStub(door.channel())
                .publishUpdate(PublishUpdateRequest.newBuilder().setBatch(batch).build());
    }
}
