package dev.runcast.api.watch;

import dev.runcast.v1.Change;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.WatchExecutionResponse.FrameCase;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;

/** A viewer that keeps what it is given and asks only when told. */
final class Probe extends BaseSubscriber<Frame> {
    final List<Frame> frames = new CopyOnWriteArrayList<>();
    volatile boolean complete;
    volatile @Nullable Throwable failure;

    private final long first;

    private Probe(long first) {
        this.first = first;
    }

    /** One that takes everything. */
    static Probe eager(Flux<Frame> frames) {
        return demanding(frames, Long.MAX_VALUE);
    }

    /** One that takes so many at first. */
    static Probe demanding(Flux<Frame> frames, long first) {
        Probe probe = new Probe(first);
        frames.subscribe(probe);
        return probe;
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        if (first > 0) {
            request(first);
        }
    }

    @Override
    protected void hookOnNext(Frame frame) {
        frames.add(frame);
    }

    @Override
    protected void hookOnComplete() {
        complete = true;
    }

    @Override
    protected void hookOnError(Throwable thrown) {
        failure = thrown;
    }

    List<WatchExecutionResponse> messages(FrameCase kind) {
        return frames.stream()
                .map(Frame::message)
                .filter(message -> message.getFrameCase() == kind)
                .toList();
    }

    /** Waits until a frame fits, and gives the first that does. */
    WatchExecutionResponse await(Predicate<WatchExecutionResponse> wanted) {
        Awaitility.await("a frame among " + frames.size())
                .until(() -> frames.stream().map(Frame::message).anyMatch(wanted));
        return frames.stream().map(Frame::message).filter(wanted).findFirst().orElseThrow();
    }

    /** Waits until a version has come, in a snapshot's cursor or a change. */
    Probe awaitVersion(long version) {
        Awaitility.await("version " + version).until(() -> lastVersion() >= version);
        return this;
    }

    /** The same for many, at the price of one. */
    static void awaitVersion(List<Probe> viewers, long version) {
        Awaitility.await("version " + version + " at all viewers")
                .atMost(Duration.ofSeconds(60))
                .until(() -> viewers.stream().allMatch(viewer -> viewer.lastVersion() >= version));
    }

    Probe awaitEnd() {
        Awaitility.await("the end").until(() -> complete || failure != null);
        return this;
    }

    List<Change> changes() {
        return messages(FrameCase.CHANGE).stream()
                .map(WatchExecutionResponse::getChange)
                .toList();
    }

    List<Long> versions() {
        return changes().stream().map(Change::getVersion).toList();
    }

    String lastCursor() {
        return frames.get(frames.size() - 1).message().getCursor();
    }

    private long lastVersion() {
        long last = 0;
        for (Frame frame : frames) {
            WatchExecutionResponse message = frame.message();
            if (message.hasSnapshot() && message.getSnapshot().hasExecution()) {
                last = message.getSnapshot().getExecution().getVersion();
            } else if (message.hasChange()) {
                last = message.getChange().getVersion();
            }
        }
        return last;
    }
}
