package dev.runcast.doors;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.nio.charset.StandardCharsets;

/**
 * Refuses calls whose metadata is larger than the contract lets it be, with an answer that says so. The transport's own
 * limit is far above it: what the transport refuses a caller cannot tell from a broken connection. Thread-safe.
 */
public final class MetadataLimit implements ServerInterceptor {
    /** The most that the metadata of a call may have, in bytes, counted as RFC 9113 counts (6.5.2). */
    public static final int MAX_BYTES = 8 * 1024;

    /** What the transport is told to let through, in bytes, so that this can answer. */
    public static final int TRANSPORT_BYTES = 64 * 1024;

    private static final int ENTRY_OVERHEAD = 32;

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        long bytes = size(headers);
        if (bytes > MAX_BYTES) {
            var failure = Failures.grpc(tooLarge("metadata", bytes));
            Metadata trailers = failure.getTrailers();
            call.close(failure.getStatus(), trailers == null ? new Metadata() : trailers);
            return new ServerCall.Listener<>() {};
        }
        return next.startCall(call, headers);
    }

    /** How a caller is told, here and over HTTP. */
    public static DoorException tooLarge(String what, long bytes) {
        return Failures.value(Reason.TOO_LARGE, what, bytes + " bytes", "at most " + MAX_BYTES);
    }

    /** What one header counts. */
    public static long size(String name, String value) {
        return ENTRY_OVERHEAD
                + name.length()
                + (long) value.getBytes(StandardCharsets.UTF_8).length;
    }

    private static long size(Metadata headers) {
        long bytes = 0;
        for (String name : headers.keys()) {
            if (name.endsWith(Metadata.BINARY_HEADER_SUFFIX)) {
                for (byte[] value : all(headers, Metadata.Key.of(name, Metadata.BINARY_BYTE_MARSHALLER))) {
                    // Base64 makes four of three.
                    bytes += ENTRY_OVERHEAD + name.length() + (value.length + 2L) / 3 * 4;
                }
            } else {
                for (String value : all(headers, Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER))) {
                    bytes += size(name, value);
                }
            }
        }
        return bytes;
    }

    private static <T> Iterable<T> all(Metadata headers, Metadata.Key<T> key) {
        Iterable<T> values = headers.getAll(key);
        return values == null ? java.util.List.of() : values;
    }
}
