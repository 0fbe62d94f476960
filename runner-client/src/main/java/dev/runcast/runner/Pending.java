package dev.runcast.runner;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import org.jspecify.annotations.Nullable;

/**
 * Something reported that has no sequence yet: a link of a {@link PendingQueue}.
 */
abstract sealed class Pending {
    /** What the objects around an update are reckoned to take, in bytes. */
    static final int UPDATE_ALLOWANCE = 384;

    /** The same for text that grows. */
    static final int TEXT_ALLOWANCE = 192;

    /** The same for a note that something was left out. */
    static final int OMITTED_ALLOWANCE = 128;

    @Nullable
    Pending previous;

    @Nullable
    Pending next;

    /** Its place among all that this execution reported, from 1. */
    final long ordinal;

    /** W3C Trace Context of the reporting step; empty means none. */
    final String traceparent;

    /** The bytes taken from the budget for it. */
    long charge;

    /** How many reported updates are in it. */
    long calls;

    Pending(long ordinal, String traceparent, long charge, long calls) {
        this.ordinal = ordinal;
        this.traceparent = traceparent;
        this.charge = charge;
        this.calls = calls;
    }

    /** Whether it waits for no cadence. */
    abstract boolean urgent();

    /** One update, as it will be sent. */
    static final class Whole extends Pending {
        Update update;
        /** The first terminal phase of the execution: never left out. */
        final boolean last;
        /** Part of it was left out already, and said so. */
        boolean noted;

        Whole(long ordinal, String traceparent, long charge, long calls, Update update, boolean last) {
            super(ordinal, traceparent, charge, calls);
            this.update = update;
            this.last = last;
        }

        @Override
        boolean urgent() {
            return true;
        }
    }

    /** Text that still grows; its offset is known when it is sent. */
    static final class Text extends Pending {
        final TextKey key;
        final Utf8Buffer text;
        /** When its newest part was reported. */
        Timestamp occurredAt;
        /** A part of an update that was too large to be sent at once: what follows is urgent, so is this. */
        final boolean part;

        Text(
                long ordinal,
                String traceparent,
                long charge,
                long calls,
                TextKey key,
                Utf8Buffer text,
                Timestamp occurredAt,
                boolean part) {
            super(ordinal, traceparent, charge, calls);
            this.key = key;
            this.text = text;
            this.occurredAt = occurredAt;
            this.part = part;
        }

        @Override
        boolean urgent() {
            return part;
        }
    }

    /** A note that updates were left out here; becomes an Omitted. */
    static final class Left extends Pending {
        final String reason;

        Left(long ordinal, long charge, long calls, String reason) {
            super(ordinal, "", charge, calls);
            this.reason = reason;
        }

        @Override
        boolean urgent() {
            return false;
        }
    }

    /** A text of an entry. */
    record TextKey(String entryId, TextField field) {}
}
