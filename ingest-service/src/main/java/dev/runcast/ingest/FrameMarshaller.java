package dev.runcast.ingest;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor.Marshaller;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/**
 * Reads a request without throwing at gRPC, which would tear the call down with a status that says nothing:
 * what cannot be read becomes one marked message, and the service answers it. Thread-safe.
 *
 * @param <T> the request
 */
final class FrameMarshaller<T extends Message> implements Marshaller<T> {
    /** A frame of bytes that are no message; told from all others by its identity. */
    static final dev.runcast.v1.PublishUpdatesRequest GARBAGE =
            dev.runcast.v1.PublishUpdatesRequest.newBuilder().build();

    /** A unary request of bytes that are no message; told from all others by its identity. */
    static final dev.runcast.v1.PublishUpdateRequest GARBAGE_REQUEST =
            dev.runcast.v1.PublishUpdateRequest.newBuilder().build();

    private static final int MAX_DEPTH = 32;

    private final com.google.protobuf.Parser<T> parser;
    private final T garbage;
    private final Marshaller<T> writer;

    FrameMarshaller(com.google.protobuf.Parser<T> parser, T garbage, Marshaller<T> writer) {
        this.parser = parser;
        this.garbage = garbage;
        this.writer = writer;
    }

    /** Whether a request is one that could not be read. */
    @SuppressWarnings("ReferenceEquality") // An empty message is equal to the marked one and is not garbage.
    static boolean isGarbage(Message request) {
        return request == GARBAGE || request == GARBAGE_REQUEST;
    }

    @Override
    public InputStream stream(T value) {
        return writer.stream(value);
    }

    @Override
    public T parse(InputStream stream) {
        try {
            com.google.protobuf.CodedInputStream input =
                    com.google.protobuf.CodedInputStream.newInstance(bytes(stream));
            input.setRecursionLimit(MAX_DEPTH);
            return parser.parseFrom(input);
        } catch (InvalidProtocolBufferException e) {
            return garbage;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Without the 8 KiB that reading to an unknown end begins with: most frames have some hundred bytes. */
    private static byte[] bytes(InputStream stream) throws IOException {
        return stream instanceof KnownLength ? stream.readNBytes(stream.available()) : stream.readAllBytes();
    }
}
