package dev.runcast.ingest;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Ack;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import dev.runcast.v1.Writer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One writer of one attempt on one stream: its window, and what it is to be told. Guarded by the lock of its
 * stream.
 */
final class WriterLine {
    final Key key;
    final Writer writer;
    final WriterWindow window = new WriterWindow();
    boolean queued;
    private boolean ackDue;
    private boolean signalDue;
    private boolean attached;
    private @Nullable Refusal refusal;
    private @Nullable Signal told;
    private long refusedAt;

    /** What tells one from another. */
    record Key(ExecutionKey execution, int kind, String name, long epoch) {
        static Key of(ExecutionKey execution, Writer writer, long epoch) {
            return new Key(execution, writer.getKindValue(), writer.getName(), epoch);
        }
    }

    WriterLine(Key key, Writer writer) {
        this.key = key;
        this.writer = writer;
    }

    void ackDue() {
        ackDue = true;
    }

    void signalDue() {
        signalDue = true;
    }

    /** The runner wants to be told even when nothing is known. */
    void attach() {
        attached = true;
        signalDue = true;
        told = null;
    }

    /** What follows the refused sequence is taken, so the refusal has done its work. */
    void settled() {
        refusal = null;
    }

    void refuse(RejectionReason reason, String message, boolean retryable, Duration retryAfter, long nanos) {
        refusedAt = nanos;
        Refusal.Builder refused = Refusal.newBuilder()
                .setExecutionId(key.execution().executionId())
                .setWriter(writer)
                .setEpoch(key.epoch())
                .setSequence(window.expected())
                .setExpectedSequence(window.expected())
                .setReason(reason)
                .setMessage(message)
                .setRetryable(retryable);
        if (!retryAfter.isZero()) {
            refused.getRetryAfterBuilder().setSeconds(retryAfter.toSeconds()).setNanos(retryAfter.toNanosPart());
        }
        refusal = refused.build();
    }

    long refusedAt() {
        return refusedAt;
    }

    /** Whether this may be forgotten: the runner neither waits for an answer nor has asked to be told. */
    boolean forgettable() {
        return !attached && !queued && window.idle();
    }

    /** The next thing to say; null when all is said. */
    @Nullable
    PublishUpdatesResponse next(SignalBoard board, Duration slowDown) {
        if (ackDue) {
            ackDue = false;
            return PublishUpdatesResponse.newBuilder()
                    .setAck(Ack.newBuilder()
                            .setExecutionId(key.execution().executionId())
                            .setWriter(writer)
                            .setEpoch(key.epoch())
                            .setSequence(window.durable()))
                    .build();
        }
        if (refusal != null) {
            Refusal said = refusal;
            refusal = null;
            return PublishUpdatesResponse.newBuilder().setRefusal(said).build();
        }
        return signalDue ? signal(board, slowDown) : null;
    }

    private @Nullable PublishUpdatesResponse signal(SignalBoard board, Duration slowDown) {
        signalDue = false;
        Level level = board.level(key.execution());
        if (level == null && !attached && told == null && slowDown.isZero()) {
            return null;
        }
        Signal signal = Level.signal(level, key.execution().executionId(), writer, key.epoch(), slowDown);
        if (signal.equals(told)) {
            return null;
        }
        told = signal;
        if (signal.getStanding() == Standing.STANDING_CLOSED || signal.getStanding() == Standing.STANDING_FENCED) {
            // There is nothing more to wait for, unless it is recovered, which begins another attempt.
            attached = false;
        }
        return PublishUpdatesResponse.newBuilder().setSignal(signal).build();
    }
}
