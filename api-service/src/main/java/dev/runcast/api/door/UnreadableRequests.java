package dev.runcast.api.door;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.ServerServiceDefinition;
import io.grpc.StatusRuntimeException;

/**
 * Answers a request of bytes that are no message with INVALID; gRPC itself would tear the call down as UNKNOWN.
 * Thread-safe.
 *
 * <p>How: requests are read only behind this, so what reading throws comes by here.
 */
final class UnreadableRequests implements ServerInterceptor {
    private UnreadableRequests() {}

    /** The service, with answers to what it cannot read. */
    static ServerServiceDefinition answered(ServerServiceDefinition service) {
        return ServerInterceptors.intercept(
                ServerInterceptors.useInputStreamMessages(service), new UnreadableRequests());
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
            private boolean refused;

            @Override
            public void onMessage(Q message) {
                try {
                    super.onMessage(message);
                } catch (StatusRuntimeException e) {
                    if (!(e.getCause() instanceof InvalidProtocolBufferException)) {
                        throw e;
                    }
                    refused = true;
                    refuse(call);
                }
            }

            @Override
            public void onHalfClose() {
                if (!refused) {
                    super.onHalfClose();
                }
            }
        };
    }

    private static void refuse(ServerCall<?, ?> call) {
        String method = call.getMethodDescriptor().getBareMethodName();
        StatusRuntimeException failure = Failures.grpc(Failures.value(
                Reason.INVALID, "request", "bytes that are no message", "a %sRequest".formatted(method)));
        Metadata trailers = failure.getTrailers();
        call.close(failure.getStatus(), trailers == null ? new Metadata() : trailers);
    }
}
