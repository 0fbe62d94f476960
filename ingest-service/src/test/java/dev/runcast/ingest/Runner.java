package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.v1.Ack;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.Signal;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Channel;
import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;

/** A runner's end of a stream, which keeps everything it is told. */
final class Runner implements ClientResponseObserver<PublishUpdatesRequest, PublishUpdatesResponse> {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<PublishUpdatesResponse> told = new CopyOnWriteArrayList<>();
    private final CompletableFuture<Status> end = new CompletableFuture<>();
    private final boolean reads;

    @SuppressWarnings("NullAway.Init")
    private ClientCallStreamObserver<PublishUpdatesRequest> out;

    private Runner(boolean reads) {
        this.reads = reads;
    }

    static Runner open(Channel channel) {
        Runner runner = new Runner(true);
        IngestServiceGrpc.newStub(channel).publishUpdates(runner);
        return runner;
    }

    /** A runner that never reads what it is told. */
    static Runner deaf(Channel channel) {
        Runner runner = new Runner(false);
        IngestServiceGrpc.newStub(channel).publishUpdates(runner);
        return runner;
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<PublishUpdatesRequest> stream) {
        out = stream;
        if (!reads) {
            stream.disableAutoRequestWithInitial(0);
        }
    }

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

    Runner send(UpdateBatch.Builder batch) {
        return send(Batches.frame(batch));
    }

    Runner send(PublishUpdatesRequest frame) {
        out.onNext(frame);
        return this;
    }

    boolean ready() {
        return out.isReady();
    }

    void complete() {
        out.onCompleted();
    }

    void cancel() {
        out.cancel("the test is over", null);
    }

    List<PublishUpdatesResponse> told() {
        return told;
    }

    List<Refusal> refusals() {
        return told.stream()
                .filter(PublishUpdatesResponse::hasRefusal)
                .map(PublishUpdatesResponse::getRefusal)
                .toList();
    }

    List<Signal> signals() {
        return told.stream()
                .filter(PublishUpdatesResponse::hasSignal)
                .map(PublishUpdatesResponse::getSignal)
                .toList();
    }

    List<Ack> acks() {
        return told.stream()
                .filter(PublishUpdatesResponse::hasAck)
                .map(PublishUpdatesResponse::getAck)
                .toList();
    }

    /** The newest sequence of an execution that is acked; 0 when none is. */
    long acked(String execution) {
        return acks().stream()
                .filter(ack -> ack.getExecutionId().equals(execution))
                .mapToLong(Ack::getSequence)
                .reduce(0, (first, second) -> second);
    }

    void awaitAck(String execution, long sequence) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(acked(execution)).isEqualTo(sequence));
    }

    Refusal awaitRefusal() {
        return awaitRefusals(1).get(0);
    }

    List<Refusal> awaitRefusals(int count) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(refusals()).hasSizeGreaterThanOrEqualTo(count));
        return refusals();
    }

    Signal awaitSignals(int count) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(signals()).hasSizeGreaterThanOrEqualTo(count));
        return signals().get(count - 1);
    }

    Status awaitEnd() {
        await().atMost(PATIENCE).until(end::isDone);
        return end.join();
    }

    boolean ended() {
        return end.isDone();
    }
}
