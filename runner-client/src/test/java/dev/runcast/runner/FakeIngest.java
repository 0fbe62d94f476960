package dev.runcast.runner;

import dev.runcast.v1.Ack;
import dev.runcast.v1.Attach;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** The runners' door over real gRPC on loopback, with a log in memory and misfortunes to order. Thread-safe. */
final class FakeIngest extends IngestServiceGrpc.IngestServiceImplBase implements AutoCloseable {
    private static final Metadata.Key<String> AUTHORIZATION =
            Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

    final IngestLog log = new IngestLog();
    final List<Heartbeat> heartbeats = new CopyOnWriteArrayList<>();
    final List<Attach> attaches = new CopyOnWriteArrayList<>();
    final List<UpdateBatch> batches = new CopyOnWriteArrayList<>();
    final List<String> authorizations = new CopyOnWriteArrayList<>();
    /** What is answered before anything is taken, once each. */
    final ConcurrentLinkedQueue<Status> failures = new ConcurrentLinkedQueue<>();

    volatile boolean acks = true;
    volatile boolean reads = true;
    volatile Predicate<Update> invalid = any -> false;
    final AtomicInteger breakAfterUpdates = new AtomicInteger(Integer.MAX_VALUE);

    private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
    private Server server;
    private final int port;

    FakeIngest() {
        server = start(0);
        port = server.getPort();
    }

    String target() {
        return "localhost:" + port;
    }

    /** Streams that are open now. */
    int streams() {
        return streams.size();
    }

    /** Pushes a level to whoever reports the execution. */
    void signal(Signal signal) {
        send(PublishUpdatesResponse.newBuilder().setSignal(signal).build());
    }

    void refuse(Refusal refusal) {
        send(PublishUpdatesResponse.newBuilder().setRefusal(refusal).build());
    }

    /** Reads again after {@code reads} was false. */
    void readOn() {
        reads = true;
        streams.forEach(stream -> stream.responses.request(1));
    }

    /** Ends every stream the way a door does that drains. */
    void drain() {
        streams.forEach(stream -> stream.fail(Status.UNAVAILABLE.withDescription("draining")));
    }

    /** Goes away; the log stays. */
    void stop() {
        server.shutdownNow();
        try {
            server.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Comes back where it was. */
    void restart() {
        server = start(port);
    }

    @Override
    public void close() {
        stop();
    }

    @Override
    public StreamObserver<PublishUpdatesRequest> publishUpdates(StreamObserver<PublishUpdatesResponse> responses) {
        Stream stream = new Stream((ServerCallStreamObserver<PublishUpdatesResponse>) responses);
        Status failure = failures.poll();
        if (failure != null) {
            stream.fail(failure);
        } else {
            streams.add(stream);
        }
        return stream;
    }

    private void send(PublishUpdatesResponse frame) {
        streams.forEach(stream -> stream.send(frame));
    }

    private Server start(int port) {
        try {
            return NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                    .permitKeepAliveTime(1, TimeUnit.SECONDS)
                    .permitKeepAliveWithoutCalls(true)
                    .intercept(new Authorizations())
                    .addService(this)
                    .build()
                    .start();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private final class Authorizations implements ServerInterceptor {
        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String authorization = headers.get(AUTHORIZATION);
            authorizations.add(authorization == null ? "" : authorization);
            return next.startCall(call, headers);
        }
    }

    private final class Stream implements StreamObserver<PublishUpdatesRequest> {
        private final ServerCallStreamObserver<PublishUpdatesResponse> responses;
        private boolean ended;

        Stream(ServerCallStreamObserver<PublishUpdatesResponse> responses) {
            this.responses = responses;
            responses.disableAutoRequest();
            responses.setOnCancelHandler(() -> streams.remove(this));
            if (reads) {
                responses.request(1);
            }
        }

        @Override
        public void onNext(PublishUpdatesRequest frame) {
            switch (frame.getFrameCase()) {
                case BATCH -> batch(frame.getBatch());
                case HEARTBEAT -> heartbeats.add(frame.getHeartbeat());
                case ATTACH -> attaches.add(frame.getAttach());
                case FRAME_NOT_SET -> fail(Status.INVALID_ARGUMENT);
            }
            if (reads) {
                responses.request(1);
            }
        }

        @Override
        public void onError(Throwable thrown) {
            streams.remove(this);
        }

        @Override
        public void onCompleted() {
            streams.remove(this);
            synchronized (this) {
                if (!ended) {
                    ended = true;
                    responses.onCompleted();
                }
            }
        }

        private void batch(UpdateBatch batch) {
            batches.add(batch);
            StreamKey key = IngestLog.key(batch);
            long sequence = batch.getFirstSequence();
            for (Update update : batch.getUpdatesList()) {
                if (breakAfterUpdates.getAndDecrement() <= 0) {
                    breakAfterUpdates.set(Integer.MAX_VALUE);
                    fail(Status.UNAVAILABLE.withDescription("broken in the middle of a batch"));
                    return;
                }
                long last = log.updates(key).size();
                if (sequence == last + 1 && invalid.test(update)) {
                    ack(batch, sequence - 1);
                    refuse(batch, sequence, RejectionReason.REJECTION_REASON_INVALID, sequence, false);
                    return;
                }
                if (!log.take(key, sequence, update)) {
                    refuse(batch, sequence, RejectionReason.REJECTION_REASON_OUT_OF_ORDER, last + 1, true);
                    return;
                }
                sequence++;
            }
            ack(batch, sequence - 1);
        }

        private void ack(UpdateBatch batch, long sequence) {
            if (acks && sequence > 0) {
                send(PublishUpdatesResponse.newBuilder()
                        .setAck(Ack.newBuilder()
                                .setExecutionId(batch.getExecutionId())
                                .setWriter(batch.getWriter())
                                .setEpoch(batch.getEpoch())
                                .setSequence(sequence))
                        .build());
            }
        }

        private void refuse(
                UpdateBatch batch, long sequence, RejectionReason reason, long expected, boolean retryable) {
            send(PublishUpdatesResponse.newBuilder()
                    .setRefusal(Refusal.newBuilder()
                            .setExecutionId(batch.getExecutionId())
                            .setWriter(batch.getWriter())
                            .setEpoch(batch.getEpoch())
                            .setSequence(sequence)
                            .setReason(reason)
                            .setExpectedSequence(expected)
                            .setMessage("refused by the fake")
                            .setRetryable(retryable))
                    .build());
        }

        private synchronized void send(PublishUpdatesResponse frame) {
            if (!ended && !responses.isCancelled()) {
                responses.onNext(frame);
            }
        }

        private synchronized void fail(@Nullable Status status) {
            streams.remove(this);
            if (!ended) {
                ended = true;
                responses.onError((status == null ? Status.UNKNOWN : status).asRuntimeException());
            }
        }
    }
}
