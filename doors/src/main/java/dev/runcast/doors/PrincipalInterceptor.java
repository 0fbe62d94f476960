package dev.runcast.doors;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;

/**
 * Lets a gRPC call in when its caller may make it. The method finds the caller as {@link Principal#current()}; what is
 * refused never reaches it. Thread-safe.
 */
public final class PrincipalInterceptor implements ServerInterceptor {
    static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    private final Callers callers;
    private final Policy policy;

    /** Asks {@code callers} who it is and {@code policy} whether it may. */
    public PrincipalInterceptor(Callers callers, Policy policy) {
        this.callers = callers;
        this.policy = policy;
    }

    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
        String method = call.getMethodDescriptor().getFullMethodName();
        if (policy.isOpen(method) && callers.requireTokens()) {
            return next.startCall(call, headers);
        }
        Principal principal;
        try {
            principal = callers.identify(
                    headers.get(AUTHORIZATION), call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR));
            policy.check(method, principal);
        } catch (DoorException e) {
            StatusRuntimeException refused = Failures.grpc(e);
            Metadata trailers = refused.getTrailers();
            call.close(refused.getStatus(), trailers == null ? new Metadata() : trailers);
            return new ServerCall.Listener<>() {};
        }
        return Contexts.interceptCall(principal.in(Context.current()), call, headers, next);
    }
}
