package dev.runcast.api.door;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.runcast.api.read.Json;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Set;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferLimitException;
import org.springframework.core.io.buffer.DataBufferUtils;
import org.springframework.web.reactive.function.server.ServerRequest;
import reactor.core.publisher.Mono;

/** The body of a POST: the contract's request in ProtoJSON. An empty body is an empty request. */
final class JsonBody {
    /** What the contract allows in one request, with every character of it escaped at length. */
    private static final int MAX_BYTES = 2 * 1024 * 1024;

    private JsonBody() {}

    /**
     * Reads a request.
     *
     * @return fails with INVALID or TOO_LARGE
     */
    static <B extends Message.Builder> Mono<B> of(ServerRequest request, B empty) {
        Parameters.of(request.queryParams(), Set.of());
        return DataBufferUtils.join(request.exchange().getRequest().getBody(), MAX_BYTES)
                .map(JsonBody::text)
                .defaultIfEmpty("")
                .map(text -> read(text, empty))
                .onErrorMap(
                        DataBufferLimitException.class,
                        e -> Failures.value(
                                Reason.TOO_LARGE, "body", "more than " + MAX_BYTES + " bytes", "at most so many"));
    }

    /** Reads a request about the execution that the path names. */
    static <B extends Message.Builder> Mono<B> about(ServerRequest request, B empty) {
        return of(request, empty).doOnNext(read -> name(read, "execution_id", request.pathVariable("id")));
    }

    /** Puts in what the path says. The body may leave it out, but not say another. */
    static void name(Message.Builder message, String field, String value) {
        FieldDescriptor named =
                Objects.requireNonNull(message.getDescriptorForType().findFieldByName(field), field);
        Object said = message.getField(named);
        if (!said.equals("") && !said.equals(value)) {
            throw Failures.value(
                    Reason.INVALID, field, '"' + said.toString() + '"', "none, or \"" + value + "\" as in the path");
        }
        message.setField(named, value);
    }

    private static <B extends Message.Builder> B read(String text, B into) {
        if (text.isBlank()) {
            return into;
        }
        try {
            Json.read(text, into);
            return into;
        } catch (InvalidProtocolBufferException e) {
            throw notRead(into, String.valueOf(e.getMessage()));
        }
    }

    private static DoorException notRead(Message.Builder into, String why) {
        return Failures.value(
                Reason.INVALID, "body", why, "a " + into.getDescriptorForType().getName() + " as JSON");
    }

    private static String text(DataBuffer buffer) {
        try {
            byte[] bytes = new byte[buffer.readableByteCount()];
            buffer.read(bytes);
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw Failures.value(Reason.INVALID, "body", "bytes that are no UTF-8", "JSON in UTF-8");
        } finally {
            DataBufferUtils.release(buffer);
        }
    }
}
