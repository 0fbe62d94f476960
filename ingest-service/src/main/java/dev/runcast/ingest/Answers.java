package dev.runcast.ingest;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import dev.runcast.ingest.WriterWindow.Flight;
import dev.runcast.v1.Ack;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;

/**
 * What one stream answers: refusals at once, acks when the log says that something is durable. Thread-safe:
 * takes the stream's lock where it needs it.
 */
final class Answers {
    private final Door door;
    private final RunnerStream stream;
    private final Outbox outbox = new Outbox();

    Answers(Door door, RunnerStream stream) {
        this.door = door;
        this.stream = stream;
    }

    /** Guarded by the stream's lock. */
    Outbox outbox() {
        return outbox;
    }

    /** Tells a writer from where it has to send again. The stream's lock is held. */
    void refuse(WriterLine line, RejectionReason reason, String message, boolean retryable) {
        door.metrics().refused(reason);
        line.refuse(reason, message, retryable, Duration.ZERO, System.nanoTime());
        outbox.due(line);
    }

    /** The same for what may be taken after so much time. The stream's lock is held. */
    void refuseUntil(WriterLine line, RejectionReason reason, String message, Duration retryAfter) {
        door.metrics().refused(reason);
        line.refuse(reason, message, true, retryAfter, System.nanoTime());
        outbox.due(line);
    }

    /** An answer that belongs to no window. */
    void answer(Refusal.Builder refusal, DoorException failure) {
        RejectionReason reason = reason(failure);
        door.metrics().refused(reason);
        refusal.setReason(reason)
                .setMessage(String.valueOf(failure.getMessage()))
                .setRetryable(failure.reason().retryable());
        synchronized (stream) {
            outbox.add(PublishUpdatesResponse.newBuilder().setRefusal(refusal).build());
        }
    }

    /** A refusal that names the batch as its sender did. */
    static Refusal.Builder named(UpdateBatch batch) {
        Refusal.Builder refusal = Refusal.newBuilder()
                .setExecutionId(batch.getExecutionId())
                .setWriter(batch.getWriter())
                .setEpoch(batch.getEpoch());
        switch (batch.getPositionCase()) {
            case FIRST_SEQUENCE -> refusal.setSequence(batch.getFirstSequence());
            case REQUEST_ID -> refusal.setRequestId(batch.getRequestId());
            case POSITION_NOT_SET -> {}
        }
        return refusal;
    }

    /** The contract's name of a failure; what the contract does not name is UNAVAILABLE. */
    static RejectionReason reason(DoorException failure) {
        try {
            return RejectionReason.valueOf(
                    "REJECTION_REASON_" + failure.reason().name());
        } catch (IllegalArgumentException notInTheContract) {
            return RejectionReason.REJECTION_REASON_UNAVAILABLE;
        }
    }

    /** What comes of a numbered batch: an ack up to where all is durable, or a refusal from where it is not. */
    UpdateLog.Landing whenLanded(WriterLine line, Flight flight, long cost) {
        return new UpdateLog.Landing() {
            @Override
            public void landed() {
                door.metrics().durable(flight.updates());
                synchronized (stream) {
                    if (line.window.landed(flight)) {
                        line.ackDue();
                        outbox.due(line);
                    }
                }
                done(cost);
            }

            @Override
            public void failed(Exception cause) {
                synchronized (stream) {
                    switch (line.window.failed(flight)) {
                        case NONE -> {}
                        case ACK -> {
                            line.ackDue();
                            outbox.due(line);
                        }
                        case RESEND ->
                            refuse(
                                    line,
                                    RejectionReason.REJECTION_REASON_UNAVAILABLE,
                                    "sequence: " + line.window.expected()
                                            + " is not durable (expected: to be sent again): " + cause.getMessage(),
                                    true);
                    }
                }
                done(cost);
            }
        };
    }

    /** What comes of a request: an ack by its name, or a refusal. */
    UpdateLog.Landing whenLanded(UpdateBatch batch, long cost) {
        // The updates are in the log's hands; only the name is kept until the answer.
        UpdateBatch name = batch.toBuilder().clearUpdates().build();
        return new UpdateLog.Landing() {
            @Override
            public void landed() {
                door.metrics().durable(1);
                synchronized (stream) {
                    outbox.add(PublishUpdatesResponse.newBuilder()
                            .setAck(Ack.newBuilder()
                                    .setExecutionId(name.getExecutionId())
                                    .setWriter(name.getWriter())
                                    .setEpoch(name.getEpoch())
                                    .setRequestId(name.getRequestId()))
                            .build());
                }
                done(cost);
            }

            @Override
            public void failed(Exception cause) {
                answer(
                        named(name),
                        Failures.of(
                                Reason.UNAVAILABLE,
                                "request_id: " + name.getRequestId()
                                        + " is not known to be durable (expected: to be sent again)"));
                done(cost);
            }
        };
    }

    /** What comes of a heartbeat is only counted. */
    UpdateLog.Landing whenLanded(long cost) {
        return new UpdateLog.Landing() {
            @Override
            public void landed() {
                door.metrics().heartbeat();
                done(cost);
            }

            @Override
            public void failed(Exception cause) {
                door.metrics().heartbeatFailed();
                done(cost);
            }
        };
    }

    private void done(long cost) {
        stream.settled(cost);
        stream.scheduleFlush();
    }
}
