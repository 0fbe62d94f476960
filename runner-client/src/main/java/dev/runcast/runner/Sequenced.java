package dev.runcast.runner;

import dev.runcast.v1.Update;
import org.jspecify.annotations.Nullable;

/** An update that has its sequence for good; kept until it is acked. Belongs to the sender's thread. */
final class Sequenced {
    final Update update;
    final int size;
    final long charge;
    final long ordinal;
    final long calls;
    /** The run's first terminal phase. */
    final boolean last;
    /** It stands for an update that was refused. */
    final boolean substitute;

    final String traceparent;
    /** When it was last put on a stream, by the monotonic clock; only meaningful once it was. */
    long sentNanos;

    boolean sent;

    /** Where the spool has it; null when it has not. */
    @Nullable
    SpoolSegment segment;

    Sequenced(Update update, long ordinal, long calls, boolean last, boolean substitute, String traceparent) {
        this.update = update;
        this.size = update.getSerializedSize();
        this.charge = size + (long) Pending.UPDATE_ALLOWANCE;
        this.ordinal = ordinal;
        this.calls = calls;
        this.last = last;
        this.substitute = substitute;
        this.traceparent = traceparent;
    }

    /** What goes out instead under the same sequence. */
    Sequenced replacedBy(Update other) {
        return new Sequenced(other, ordinal, calls, last, true, traceparent);
    }
}
