package dev.runcast.runner;

import com.google.protobuf.Timestamp;
import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Update;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What an execution reported and the sender has not looked at yet, in order. The agent's side of the reporter: any thread
 * puts in, the sender's takes out, and nobody waits for anybody, whichever of them loses its core where.
 *
 * <p>A stack (R. K. Treiber, Systems Programming: Coping with Parallelism, 1986): a report is put on top by one
 * compare-and-set, and the sender takes the whole stack by another. It is not a queue of the JDK because the newest report
 * must be known: the note that something was left out is replaced by one that counts one more, so that an agent that
 * goes on at the memory bound takes no more memory, however long the sender does not come (while the reason is the same).
 *
 * <p>Everything is charged to the budget here; the sender gives back what joining saves.
 */
final class Inbox {
    /** With so many reports waiting the sender is told also of text that it comes for by itself: joined it takes less. */
    static final int MANY = 256;

    sealed interface Report {
        /** The bytes taken from the budget for it. */
        long charge();
    }

    /** One update, perhaps too large to be sent at once. */
    record Whole(Update update, long charge, String traceparent) implements Report {}

    /** Text to append. */
    record Text(TextKey key, String text, Timestamp occurredAt, long charge, String traceparent) implements Report {}

    /** Updates were left out. */
    record Left(long count, String reason) implements Report {
        @Override
        public long charge() {
            return Pending.OMITTED_ALLOWANCE;
        }
    }

    /** The other halves of surrogate pairs will not come. */
    record NoMoreHalves() implements Report {
        @Override
        public long charge() {
            return 0;
        }
    }

    /** @param depth how many reports there are up to this one, and {@code calls} the reported updates in them */
    private record Link(Report report, @Nullable Link below, int depth, long calls) {}

    private final MemoryBudget budget;
    private final Counters counters;
    private final AtomicReference<@Nullable Link> top = new AtomicReference<>();
    private final AtomicBoolean ended = new AtomicBoolean();
    private volatile String traceparent = "";
    private volatile boolean discarded;
    /** The sender has text already and comes for more by itself. Written by the sender's thread. */
    private volatile boolean expected;
    /** How many reported updates were taken out of here and are not acked. Written by the sender's thread. */
    private volatile long taken;

    Inbox(MemoryBudget budget, Counters counters) {
        this.budget = budget;
        this.counters = counters;
    }

    /** Puts in an update, or a note when it is left out. False when nothing is taken any more. */
    boolean offer(Update update) {
        if (discarded) {
            return false;
        }
        int size = update.getSerializedSize();
        long charge = size + (long) Pending.UPDATE_ALLOWANCE;
        if (size > Limits.UPDATE && !EntryTexts.splits(update)) {
            leaveOut(1, "an update of " + size + " bytes (expected: at most " + Limits.UPDATE + ")");
        } else if (Changes.terminal(update) && ended.compareAndSet(false, true)) {
            budget.reserve(charge);
            put(new Whole(update, charge, traceparent), 1);
        } else if (budget.tryReserve(charge)) {
            put(new Whole(update, charge, traceparent), 1);
        } else {
            leaveOut(1, budget.reached());
        }
        return true;
    }

    /** Puts in text, or a note when it is left out. True when the sender has to be told, false when it comes anyway. */
    boolean append(TextKey key, String text, Timestamp occurredAt) {
        if (discarded) {
            return false;
        }
        long charge = Pending.TEXT_ALLOWANCE + Utf8.length(text);
        if (!budget.tryReserve(charge)) {
            leaveOut(1, budget.reached());
            return true;
        }
        int depth = put(new Text(key, text, occurredAt, charge, traceparent), 1);
        return !expected || depth >= MANY;
    }

    /** Puts in the note that updates were left out. */
    void leaveOut(long count, String reason) {
        if (discarded) {
            return;
        }
        counters.omitted.add(count);
        Left note = new Left(count, reason);
        budget.reserve(note.charge());
        while (true) {
            Link newest = top.get();
            if (newest != null && newest.report instanceof Left same && same.reason.equals(reason)) {
                Left more = new Left(same.count + count, reason);
                if (top.compareAndSet(newest, new Link(more, newest.below, newest.depth, newest.calls + count))) {
                    budget.release(note.charge());
                    return;
                }
            } else if (top.compareAndSet(newest, above(newest, note, count))) {
                return;
            }
        }
    }

    /** Gives up waiting for the other halves of surrogate pairs in what was put in so far. */
    void settleHalves() {
        put(new NoMoreHalves(), 0);
    }

    /** Sets the trace of what is reported from now on; empty means none. */
    void traceparent(String value) {
        traceparent = value;
    }

    /** Whether the run's end has been reported. */
    boolean ended() {
        return ended.get();
    }

    /** How many reported updates are not acked; at least 1 when anything is not. */
    long waiting() {
        // In this order: what is taken out is counted there before it is gone from here.
        Link newest = top.get();
        return taken + (newest == null ? 0 : newest.calls);
    }

    boolean isEmpty() {
        return top.get() == null;
    }

    /** Takes out everything, the oldest first. For the sender's thread, as all below. */
    Deque<Report> take() {
        Deque<Report> reports = new ArrayDeque<>();
        long before = taken;
        Link newest = top.get();
        while (newest != null) {
            taken = before + newest.calls;
            if (top.compareAndSet(newest, null)) {
                break;
            }
            newest = top.get();
        }
        for (Link link = newest; link != null; link = link.below) {
            reports.addFirst(link.report);
        }
        return reports;
    }

    /** Whether the sender comes for text by itself; said before it looks for the last time when it does not. */
    void expect(boolean value) {
        expected = value;
    }

    /** How many reported updates the sender has and nobody acked. */
    void taken(long calls) {
        taken = calls;
    }

    /** An earlier process reported the run's end. */
    void end() {
        ended.set(true);
    }

    /** Throws away what is there and takes nothing more. Returns how many reported updates were thrown away. */
    long discard() {
        discarded = true;
        expected = false;
        // What passed the check before is put in later, and comes here again with the sender's next look.
        Link newest = top.getAndSet(null);
        for (Link link = newest; link != null; link = link.below) {
            budget.release(link.report.charge());
        }
        return newest == null ? 0 : newest.calls;
    }

    private int put(Report report, long calls) {
        while (true) {
            Link newest = top.get();
            Link link = above(newest, report, calls);
            if (top.compareAndSet(newest, link)) {
                return link.depth;
            }
        }
    }

    private static Link above(@Nullable Link below, Report report, long calls) {
        return below == null
                ? new Link(report, null, 1, calls)
                : new Link(report, below, below.depth + 1, below.calls + calls);
    }
}
