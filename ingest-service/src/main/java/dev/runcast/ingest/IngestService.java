package dev.runcast.ingest;

import com.google.protobuf.Message;
import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdateResponse;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.UpdateBatch;
import io.grpc.MethodDescriptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The runners' door: a stream that carries any number of executions, and a call for a single update. What it
 * acknowledges is in the log. Thread-safe.
 */
final class IngestService {
    private final Door door;
    private final Set<RunnerStream> streams = ConcurrentHashMap.newKeySet();
    private final AtomicInteger calls = new AtomicInteger();
    private volatile State state = State.STARTING;

    /** Whether updates are taken. */
    private enum State {
        STARTING,
        OPEN,
        DRAINING
    }

    IngestService(Door door) {
        this.door = door;
        door.metrics().gauge("runcast.ingest.streams", "Open streams of runners", streams::size);
        door.metrics().gauge("runcast.ingest.in.flight.bytes", "Bytes on their way to the log", door.inFlight()::bytes);
        door.metrics().gauge("runcast.ingest.levels", "Executions whose level is known", door.board()::size);
    }

    /** Reports any number of executions; see the contract. */
    StreamObserver<PublishUpdatesRequest> publishUpdates(StreamObserver<PublishUpdatesResponse> responses) {
        DoorException shut = shut();
        if (shut != null) {
            responses.onError(Failures.grpc(shut));
            return new Ignored<>();
        }
        RunnerStream[] self = new RunnerStream[1];
        RunnerStream stream = new RunnerStream(
                door,
                Principal.current(),
                (ServerCallStreamObserver<PublishUpdatesResponse>) responses,
                () -> streams.remove(self[0]));
        self[0] = stream;
        streams.add(stream);
        stream.open();
        if (state == State.DRAINING) {
            stream.drain();
        }
        return stream;
    }

    /** Reports one update by its request id, and answers when it is durable. */
    void publishUpdate(PublishUpdateRequest request, StreamObserver<PublishUpdateResponse> response) {
        // A caller who hangs up does not take the update back; the answer has nowhere to go then.
        ((ServerCallStreamObserver<PublishUpdateResponse>) response).setOnCancelHandler(() -> {});
        try {
            publish(request, response);
        } catch (DoorException e) {
            refused(e, response);
        }
    }

    private void publish(PublishUpdateRequest request, StreamObserver<PublishUpdateResponse> response) {
        DoorException shut = shut();
        if (shut != null) {
            throw shut;
        }
        if (FrameMarshaller.isGarbage(request)) {
            throw Failures.of(Reason.INVALID, "request: bytes that are no message (expected: a PublishUpdateRequest)");
        }
        if (!request.hasBatch()) {
            Contract.check(request);
        }
        UpdateBatch batch = request.getBatch();
        if (batch.hasFirstSequence()) {
            throw Failures.value(
                    Reason.INVALID,
                    "batch.first_sequence",
                    Long.toString(batch.getFirstSequence()),
                    "a request_id: sequences are for PublishUpdates");
        }
        door.check().header(batch, Principal.current());
        BatchCheck.Bad bad = door.check().firstBad(batch);
        if (bad != null) {
            throw bad.failure();
        }
        UpdateBatch stamped = door.stamp()
                .on(batch, Principal.current().tenant(), Principal.current().name())
                .build();
        long cost = Door.FRAME_OVERHEAD + (long) request.getSerializedSize();
        if (!door.inFlight().tryTake(cost)) {
            throw Failures.of(
                    Reason.UNAVAILABLE,
                    "in flight: " + door.inFlight().bytes() + " bytes (expected: room for " + cost
                            + " more); try again");
        }
        calls.incrementAndGet();
        door.metrics().accepted(1);
        door.log().append(stamped, new UpdateLog.Landing() {
            @Override
            public void landed() {
                settled();
                door.metrics().durable(1);
                response.onNext(PublishUpdateResponse.newBuilder()
                        .setReceivedAt(stamped.getReceivedAt())
                        .build());
                response.onCompleted();
            }

            @Override
            public void failed(Exception cause) {
                settled();
                refused(
                        Failures.of(
                                Reason.LOG_UNAVAILABLE,
                                "request_id: " + batch.getRequestId()
                                        + " is not known to be durable (expected: the same call again, which is safe)"),
                        response);
            }

            private void settled() {
                calls.decrementAndGet();
                door.inFlight().give(cost);
            }
        });
    }

    private void refused(DoorException failure, StreamObserver<?> response) {
        door.metrics().refused(Answers.reason(failure));
        response.onError(Failures.grpc(failure));
    }

    private @Nullable DoorException shut() {
        return switch (state) {
            case OPEN -> null;
            case STARTING ->
                Failures.of(
                        Reason.UNAVAILABLE, "the door is starting (expected: another try when its health is SERVING)");
            case DRAINING -> Failures.of(Reason.DRAINING, "the door is about to stop (expected: another connection)");
        };
    }

    /** From now on updates are taken. */
    synchronized void openDoor() {
        // A stop may come while the signals are still being read.
        if (state == State.STARTING) {
            state = State.OPEN;
        }
    }

    /** From now on nothing is taken; streams end when what they sent is durable. */
    void drain() {
        synchronized (this) {
            state = State.DRAINING;
        }
        streams.forEach(RunnerStream::drain);
    }

    /** Whether everything that was taken has been answered. */
    boolean drained() {
        return streams.isEmpty() && calls.get() == 0;
    }

    /** Looks how full the pipeline is, and tells runners when that calls for another pace. */
    void lookAtPressure() {
        if (door.pressure().look()) {
            streams.forEach(RunnerStream::pressureChanged);
        }
    }

    /** The service for gRPC. Requests are read by {@link FrameMarshaller}, so that garbage gets an answer too. */
    ServerServiceDefinition definition() {
        MethodDescriptor<PublishUpdatesRequest, PublishUpdatesResponse> stream = marshalled(
                IngestServiceGrpc.getPublishUpdatesMethod(), PublishUpdatesRequest.parser(), FrameMarshaller.GARBAGE);
        MethodDescriptor<PublishUpdateRequest, PublishUpdateResponse> unary = marshalled(
                IngestServiceGrpc.getPublishUpdateMethod(),
                PublishUpdateRequest.parser(),
                FrameMarshaller.GARBAGE_REQUEST);
        return ServerServiceDefinition.builder(io.grpc.ServiceDescriptor.newBuilder(IngestServiceGrpc.SERVICE_NAME)
                        .setSchemaDescriptor(
                                IngestServiceGrpc.getServiceDescriptor().getSchemaDescriptor())
                        .addMethod(stream)
                        .addMethod(unary)
                        .build())
                .addMethod(stream, ServerCalls.asyncBidiStreamingCall(this::publishUpdates))
                .addMethod(unary, ServerCalls.asyncUnaryCall(this::publishUpdate))
                .build();
    }

    private static <Q extends Message, A> MethodDescriptor<Q, A> marshalled(
            MethodDescriptor<Q, A> method, com.google.protobuf.Parser<Q> parser, Q garbage) {
        return method.toBuilder(
                        new FrameMarshaller<>(parser, garbage, method.getRequestMarshaller()),
                        method.getResponseMarshaller())
                .build();
    }

    /** The frames of a stream that has been answered already. */
    private static final class Ignored<T> implements StreamObserver<T> {
        @Override
        public void onNext(T value) {}

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    }
}
