package dev.runcast.runner;

import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import io.grpc.CallCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Streams over one gRPC channel, built with the first of them. */
final class GrpcTransport implements Transport {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    /** Finds a dead peer where TCP would take minutes; the door permits no less than 10 s. */
    private static final Duration KEEP_ALIVE = Duration.ofSeconds(30);

    private static final Duration KEEP_ALIVE_TIMEOUT = Duration.ofSeconds(10);

    /** Frames that may come before the first of them has been dealt with. */
    private static final int FRAMES_AHEAD = 64;

    private final ReporterConfig config;
    private @Nullable ManagedChannel channel;

    GrpcTransport(ReporterConfig config) {
        this.config = config;
    }

    @Override
    public Connection connect(Listener listener) {
        ManagedChannel open = channel();
        // Our own backoff rules; the channel's would keep failing streams at once for up to two minutes.
        open.resetConnectBackoff();
        Stream stream = new Stream(listener);
        IngestServiceGrpc.newStub(open)
                .withCallCredentials(new BearerToken(config.token()))
                .publishUpdates(stream);
        return stream;
    }

    @Override
    public void close(Duration timeout) {
        ManagedChannel open = channel;
        if (open == null) {
            return;
        }
        open.shutdown();
        try {
            if (!open.awaitTermination(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
                open.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            open.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private ManagedChannel channel() {
        ManagedChannel open = channel;
        if (open == null) {
            NettyChannelBuilder builder = NettyChannelBuilder.forTarget(config.target())
                    .keepAliveTime(KEEP_ALIVE.toNanos(), TimeUnit.NANOSECONDS)
                    .keepAliveTimeout(KEEP_ALIVE_TIMEOUT.toNanos(), TimeUnit.NANOSECONDS)
                    .userAgent("runcast-runner-client");
            if (!config.tls()) {
                builder.usePlaintext();
            }
            open = builder.build();
            channel = open;
        }
        return open;
    }

    private static final class Stream
            implements Connection, ClientResponseObserver<PublishUpdatesRequest, PublishUpdatesResponse> {
        private final Listener listener;
        private @Nullable ClientCallStreamObserver<PublishUpdatesRequest> call;

        Stream(Listener listener) {
            this.listener = listener;
        }

        @Override
        public void beforeStart(ClientCallStreamObserver<PublishUpdatesRequest> started) {
            call = started;
            started.disableAutoRequestWithInitial(FRAMES_AHEAD);
            started.setOnReadyHandler(listener::ready);
        }

        @Override
        public void onNext(PublishUpdatesResponse frame) {
            listener.frame(frame);
        }

        @Override
        public void onError(Throwable thrown) {
            listener.closed(Status.fromThrowable(thrown));
        }

        @Override
        public void onCompleted() {
            listener.closed(Status.UNAVAILABLE.withDescription("the server ended the stream"));
        }

        @Override
        public boolean isReady() {
            return call().isReady();
        }

        @Override
        public void send(PublishUpdatesRequest frame) {
            call().onNext(frame);
        }

        @Override
        public void dealtWith() {
            call().request(1);
        }

        @Override
        public void finish() {
            call().onCompleted();
        }

        @Override
        public void cancel(String reason) {
            call().cancel(reason, null);
        }

        private ClientCallStreamObserver<PublishUpdatesRequest> call() {
            return Objects.requireNonNull(call, "the call has not been started");
        }
    }

    /** RFC 6750. The supplier may block, so it is asked on the channel's executor. */
    private static final class BearerToken extends CallCredentials {
        private final Supplier<@Nullable String> token;

        BearerToken(Supplier<@Nullable String> token) {
            this.token = token;
        }

        @Override
        public void applyRequestMetadata(RequestInfo request, Executor executor, MetadataApplier applier) {
            executor.execute(() -> {
                Metadata headers = new Metadata();
                try {
                    String value = token.get();
                    if (value != null && !value.isEmpty()) {
                        headers.put(AUTHORIZATION, "Bearer " + value);
                    }
                } catch (RuntimeException | Error thrown) {
                    applier.fail(Status.UNAUTHENTICATED
                            .withDescription("the token supplier failed: " + thrown)
                            .withCause(thrown));
                    return;
                }
                applier.apply(headers);
            });
        }
    }
}
