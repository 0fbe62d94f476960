package dev.runcast.ingest;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One stream of a runner: flow control in both directions, and its end. What the frames mean stands in
 * {@link FrameReader}. Thread-safe.
 */
final class RunnerStream implements StreamObserver<PublishUpdatesRequest>, SignalBoard.Listener {
    /*
     * Four threads meet here: gRPC's, which brings frames one at a time; Kafka's, which says what landed; the
     * signals reader's; and the executor's, which flushes. State is guarded by this object's lock, which is
     * never held while something is handed to Kafka (that may wait) or to gRPC.
     *
     * In: a frame is asked for only when there is room for another, so what the stream holds is bounded by
     * its share of the bytes in flight and one frame. A frame that finds the whole pipeline full is held, and
     * nothing is asked for until it has gone in: also not by what lands meanwhile, else the next frame would
     * overtake it.
     *
     * Out: one flush at a time, only while the transport is ready. A runner that never reads stops being
     * read when answers of its own queue up; acks and signals take one place each writer.
     */
    private static final int MAX_BACKLOG = 256;

    private static final Logger log = LoggerFactory.getLogger(RunnerStream.class);

    private final Door door;
    private final Principal principal;
    private final ServerCallStreamObserver<PublishUpdatesResponse> out;
    private final FrameReader reader;
    private final Runnable onClosed;

    private long inFlightBytes;
    private int flights;
    private boolean asked;
    private boolean reading;
    private @Nullable PublishUpdatesRequest held;
    private boolean flushing;
    private boolean halfClosed;
    private boolean draining;
    private boolean closed;
    private @Nullable DoorException ending;

    RunnerStream(
            Door door, Principal principal, ServerCallStreamObserver<PublishUpdatesResponse> out, Runnable onClosed) {
        this.door = door;
        this.principal = principal;
        this.out = out;
        this.onClosed = onClosed;
        this.reader = new FrameReader(door, principal, this);
        out.disableAutoRequest();
        out.setOnReadyHandler(this::scheduleFlush);
        out.setOnCancelHandler(this::abandon);
    }

    /** Begins to read. */
    void open() {
        ask();
    }

    @Override
    public void onNext(PublishUpdatesRequest frame) {
        synchronized (this) {
            asked = false;
            reading = true;
        }
        take(frame);
    }

    private void take(PublishUpdatesRequest frame) {
        long cost = Door.FRAME_OVERHEAD + (long) frame.getSerializedSize();
        if (!door.inFlight().tryTake(cost)) {
            synchronized (this) {
                held = frame;
            }
            door.inFlight().whenRoom(cost, () -> door.executor().execute(() -> takeHeld(cost)));
            return;
        }
        take(frame, cost);
    }

    /** Its room has been taken. */
    private void take(PublishUpdatesRequest frame, long cost) {
        synchronized (this) {
            if (closed || draining) {
                door.inFlight().give(cost);
                return;
            }
            inFlightBytes += cost;
            flights++;
        }
        try {
            reader.read(frame, cost);
        } catch (RuntimeException e) {
            log.error("A frame of {} failed the door", principal, e);
            settled(cost);
            fail(Failures.of(Reason.INTERNAL, "a failure of the door; its log has the rest"));
        }
        synchronized (this) {
            reading = false;
        }
        ask();
        scheduleFlush();
    }

    private void takeHeld(long cost) {
        PublishUpdatesRequest frame;
        synchronized (this) {
            frame = held;
            held = null;
        }
        if (frame == null) {
            door.inFlight().give(cost);
        } else {
            take(frame, cost);
        }
    }

    /** A frame has gone its way: its bytes are free. Called once for each frame that was read. */
    void settled(long cost) {
        synchronized (this) {
            inFlightBytes -= cost;
            flights--;
        }
        door.inFlight().give(cost);
        ask();
    }

    /** Asks for another frame when there is room for one. */
    private void ask() {
        synchronized (this) {
            if (asked
                    || closed
                    || draining
                    || halfClosed
                    || reading
                    || inFlightBytes >= door.settings().inFlight().perStream().toBytes()
                    || reader.backlog() >= MAX_BACKLOG) {
                return;
            }
            asked = true;
        }
        out.request(1);
    }

    @Override
    public void levelChanged(ExecutionKey execution) {
        synchronized (this) {
            reader.levelChanged(execution);
        }
        scheduleFlush();
    }

    /** The pipeline got fuller or emptier: whoever is reporting is told. */
    void pressureChanged() {
        boolean due;
        synchronized (this) {
            due = reader.pressureChanged();
        }
        // Ten thousand streams that have said nothing must not cost ten thousand tasks.
        if (due) {
            scheduleFlush();
        }
    }

    void scheduleFlush() {
        synchronized (this) {
            if (flushing || closed) {
                return;
            }
            flushing = true;
        }
        door.executor().execute(this::flush);
    }

    private void flush() {
        while (true) {
            PublishUpdatesResponse frame;
            synchronized (this) {
                if (closed) {
                    return;
                }
                if (ending == null && !out.isReady()) {
                    flushing = false;
                    return;
                }
                frame = ending == null ? reader.next() : null;
                if (frame == null) {
                    boolean done = ending != null || (flights == 0 && (draining || (halfClosed && !reading)));
                    if (!done) {
                        flushing = false;
                        break;
                    }
                    closed = true;
                }
            }
            if (frame == null) {
                end();
                return;
            }
            out.onNext(frame);
        }
        // The backlog may have been what kept the stream from being read.
        ask();
    }

    private void end() {
        release();
        if (ending != null) {
            out.onError(Failures.grpc(ending));
        } else if (halfClosed) {
            out.onCompleted();
        } else {
            out.onError(Failures.grpc(Failures.of(
                    Reason.DRAINING,
                    "the door is about to stop: open another stream and send again what is not acked")));
        }
    }

    /** Ends the stream for a fault of the runner that no refusal can answer. */
    void fail(DoorException failure) {
        synchronized (this) {
            if (ending == null) {
                ending = failure;
            }
        }
        scheduleFlush();
    }

    /** Takes nothing more, says what is on its way, and ends the stream. */
    void drain() {
        synchronized (this) {
            draining = true;
        }
        scheduleFlush();
    }

    @Override
    public void onError(Throwable failure) {
        abandon();
    }

    @Override
    public void onCompleted() {
        synchronized (this) {
            halfClosed = true;
        }
        scheduleFlush();
    }

    private void abandon() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        release();
    }

    private void release() {
        synchronized (this) {
            held = null;
            reader.close();
        }
        onClosed.run();
    }
}
