package dev.runcast.ingest;

import com.google.rpc.Code;
import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.ingest.BatchCheck.Bad;
import dev.runcast.ingest.WriterWindow.Flight;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Attach;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.UpdateBatch.PositionCase;
import dev.runcast.v1.WriterKind;
import org.jspecify.annotations.Nullable;

/**
 * What the frames of one stream mean: law 5 for each writer, and an answer to everything. Frames come one at
 * a time; the rest is guarded by the stream's lock.
 */
final class FrameReader {
    private final Door door;
    private final Principal principal;
    private final RunnerStream stream;
    private final WriterLines lines;
    private final Answers answers;

    FrameReader(Door door, Principal principal, RunnerStream stream) {
        this.door = door;
        this.principal = principal;
        this.stream = stream;
        this.answers = new Answers(door, stream);
        this.lines = new WriterLines(door.settings().writersPerStream(), door.board(), stream);
    }

    /** How many answers wait that belong to no writer's window. */
    int backlog() {
        return answers.outbox().backlog();
    }

    /** Reads a frame, and sees to it that the stream is told once when it has gone its way. */
    void read(PublishUpdatesRequest frame, long cost) {
        try {
            if (FrameMarshaller.isGarbage(frame)) {
                throw Failures.of(
                        Reason.INVALID, "frame: bytes that are no message (expected: a PublishUpdatesRequest)");
            }
            switch (frame.getFrameCase()) {
                case BATCH -> batch(frame.getBatch(), cost);
                case HEARTBEAT -> heartbeat(frame.getHeartbeat(), cost);
                case ATTACH -> attach(frame.getAttach(), cost);
                case FRAME_NOT_SET ->
                    throw Failures.value(
                            Reason.INVALID, "frame", "none that the contract knows", "batch, heartbeat or attach");
            }
        } catch (DoorException e) {
            // What cannot be told whose it is holds up nobody: it is answered and gone.
            answers.answer(Refusal.newBuilder(), e);
            stream.settled(cost);
        }
    }

    private void batch(UpdateBatch batch, long cost) {
        try {
            door.check().header(batch, principal);
        } catch (DoorException e) {
            refuseWhole(batch, e);
            stream.settled(cost);
            return;
        }
        if (batch.getPositionCase() == PositionCase.REQUEST_ID) {
            request(batch, cost);
        } else {
            sequenced(batch, cost);
        }
    }

    /**
     * Refuses a batch whatever its updates are. Where it is clear whose it is and the writer may send something
     * else in its place, nothing that follows counts before; else all that follow are refused for the same reason.
     */
    private void refuseWhole(UpdateBatch batch, DoorException failure) {
        if (!HotCheck.names(batch) || failure.reason().code() == Code.PERMISSION_DENIED) {
            answers.answer(Answers.named(batch), failure);
            return;
        }
        synchronized (stream) {
            WriterLine line = line(batch.getExecutionId(), batch.getWriter(), batch.getEpoch());
            if (line != null && arrives(line, batch)) {
                line.window.refuse(batch.getFirstSequence());
                String message = String.valueOf(failure.getMessage());
                if (failure.reason() == Reason.EPOCH_AHEAD) {
                    answers.refuseUntil(
                            line,
                            RejectionReason.REJECTION_REASON_EPOCH_AHEAD,
                            message,
                            door.check().untilTaken(batch.getEpoch()));
                } else {
                    answers.refuse(
                            line,
                            Answers.reason(failure),
                            message,
                            failure.reason().retryable());
                }
            }
        }
    }

    private void sequenced(UpdateBatch batch, long cost) {
        long first = batch.getFirstSequence();
        WriterLine line;
        synchronized (stream) {
            line = line(batch.getExecutionId(), batch.getWriter(), batch.getEpoch());
            if (line == null || !arrives(line, batch)) {
                line = null;
            }
        }
        if (line == null) {
            stream.settled(cost);
            return;
        }
        Bad bad = door.check().firstBad(batch);
        int good = bad == null ? batch.getUpdatesCount() : bad.index();
        Flight flight = null;
        synchronized (stream) {
            if (good > 0) {
                flight = line.window.take(first, first + good - 1);
                line.settled();
            }
            if (bad != null) {
                line.window.refuse(first + good);
                answers.refuse(
                        line,
                        Answers.reason(bad.failure()),
                        String.valueOf(bad.failure().getMessage()),
                        bad.retryable());
            }
        }
        if (flight == null) {
            stream.settled(cost);
            return;
        }
        UpdateBatch.Builder stamped = door.stamp().on(batch, principal.tenant(), principal.name());
        while (stamped.getUpdatesCount() > good) {
            stamped.removeUpdates(stamped.getUpdatesCount() - 1);
        }
        door.metrics().accepted(good);
        door.log().append(stamped.build(), answers.whenLanded(line, flight, cost));
    }

    /** Whether the batch is to be taken; if not, the runner is told as far as it needs to be. */
    private boolean arrives(WriterLine line, UpdateBatch batch) {
        long first = batch.getFirstSequence();
        switch (line.window.arrive(first)) {
            case NEXT -> {
                return true;
            }
            case GAP ->
                answers.refuse(
                        line,
                        RejectionReason.REJECTION_REASON_SEQUENCE_GAP,
                        "sequence: " + first + " (expected: " + line.window.expected() + ")",
                        true);
            case BEHIND -> {
                door.metrics().behind(batch.getUpdatesCount());
                // What was under way when the refusal went out is no news; who goes on and on has missed it.
                if (System.nanoTime() - line.refusedAt() > Door.REMIND_EVERY.toNanos()) {
                    answers.refuse(
                            line,
                            RejectionReason.REJECTION_REASON_OUT_OF_ORDER,
                            "sequence: " + first + " (expected: " + line.window.expected()
                                    + ", which was refused and has to come first)",
                            true);
                }
            }
        }
        return false;
    }

    private void request(UpdateBatch batch, long cost) {
        Bad bad = door.check().firstBad(batch);
        if (bad != null) {
            answers.answer(Answers.named(batch), bad.failure());
            stream.settled(cost);
            return;
        }
        door.metrics().accepted(1);
        door.log()
                .append(
                        door.stamp()
                                .on(batch, principal.tenant(), principal.name())
                                .build(),
                        answers.whenLanded(batch, cost));
    }

    private void heartbeat(Heartbeat heartbeat, long cost) {
        Contract.check(heartbeat.toBuilder().clearTenant().build());
        sign(heartbeat.getWriter().getKind(), heartbeat.getEpoch());
        synchronized (stream) {
            line(heartbeat.getExecutionId(), heartbeat.getWriter(), heartbeat.getEpoch());
        }
        door.log().heartbeat(door.stamp().on(heartbeat, principal.tenant()), answers.whenLanded(cost));
    }

    private void attach(Attach attach, long cost) {
        Contract.check(attach);
        sign(attach.getWriter().getKind(), attach.getEpoch());
        synchronized (stream) {
            WriterLine line = line(attach.getExecutionId(), attach.getWriter(), attach.getEpoch());
            if (line != null) {
                line.attach();
                answers.outbox().due(line);
            }
        }
        stream.settled(cost);
    }

    private void sign(WriterKind kind, long epoch) {
        if (kind != WriterKind.WRITER_KIND_RUNNER) {
            throw Failures.value(Reason.NOT_PERMITTED, "writer.kind", kind.name(), "WRITER_KIND_RUNNER");
        }
        door.check().epoch(epoch);
    }

    /** The line of a writer; null when the stream has too many that wait for something, and then it ends. */
    private @Nullable WriterLine line(String executionId, dev.runcast.v1.Writer writer, long epoch) {
        WriterLine.Key key = WriterLine.Key.of(new ExecutionKey(principal.tenant(), executionId), writer, epoch);
        WriterLine known = lines.get(key);
        if (known != null) {
            return known;
        }
        WriterLine line = lines.add(key, writer);
        if (line == null) {
            stream.fail(Failures.value(
                    Reason.OVERLOADED,
                    "writers",
                    "more than " + door.settings().writersPerStream(),
                    "as many on one stream, besides those that wait for nothing"));
            return null;
        }
        line.signalDue();
        answers.outbox().due(line);
        return line;
    }

    void levelChanged(ExecutionKey execution) {
        for (WriterLine line : lines.of(execution)) {
            line.signalDue();
            answers.outbox().due(line);
        }
    }

    /** Whether anybody is to be told. */
    boolean pressureChanged() {
        for (WriterLine line : lines.all()) {
            line.signalDue();
            answers.outbox().due(line);
        }
        return !lines.all().isEmpty();
    }

    @Nullable
    PublishUpdatesResponse next() {
        return answers.outbox()
                .next(line -> line.next(door.board(), door.pressure().slowDown()));
    }

    void close() {
        lines.close();
    }
}
