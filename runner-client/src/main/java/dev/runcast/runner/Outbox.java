package dev.runcast.runner;

import com.google.protobuf.Timestamp;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What one writer still has to send: the inbox that the agent's threads fill, the queue of what the sender took over from
 * it, then the window of what has a sequence and is not acked. Everything but {@link #inbox}, {@link #dirty} and what is
 * volatile belongs to the sender's thread.
 *
 * <p>Go-back-N: {@link #cursor} is the next sequence to put on the stream. It goes forward with each batch and back to
 * the first sequence that is not acked with each new stream, refusal or request to send again.
 */
final class Outbox {
    private static final Duration LONGEST_SLOW_DOWN = Duration.ofMinutes(1);

    final StreamKey key;
    final Writer writer;
    final Inbox inbox;
    final PendingQueue queue;
    final SignalLevel level;
    /** Whether the sender has been told to look at the inbox. */
    final AtomicBoolean dirty = new AtomicBoolean();

    final Window window = new Window();
    long cursor = 1;
    /** Text is due from then on. */
    long nextTextNanos;
    /** Nothing is sent before then, after a refusal for want of room. */
    long retryNanos;
    /** When the timer that is set for it rings; {@link Long#MAX_VALUE} when none is. */
    long timerNanos = Long.MAX_VALUE;
    /** When the last frame about it went out. */
    long lastFrameNanos;
    /** The last time an ack moved the window. */
    long lastAckNanos;
    /** How often in a row it was refused for want of room. */
    int refusals;
    /** Where the last rewind went to, and when: its echoes are not followed again at once. */
    long rewoundTo;

    long rewoundNanos;
    /** An echo was not followed; look again whether it was one. */
    boolean echoed;
    /** It waits for room in the windows. */
    boolean starved;
    /** Text up to this ordinal is due at once. */
    long flushThrough;

    boolean attachWanted = true;
    /** The run's first terminal phase is durable. Written by the sender's thread. */
    volatile boolean lastAcked;
    /** Its content is void: fenced, or refused for good. */
    volatile boolean discarded;
    /** Nobody will report more: no heartbeats. */
    volatile boolean released;
    /** It stands in the sender's line. */
    boolean lined;
    /** It is written, and waits for the stream to take frames again. */
    boolean parked;
    /** Until then what the spool has of older attempts goes before it; set with each stream. */
    long goesFirstUntil = Long.MAX_VALUE;
    /** An earlier process left something of it in the spool. */
    volatile boolean recovered;
    /** The agent of this process reports it. */
    volatile boolean claimed;
    /** At the close: the spool has everything that is not acked. */
    volatile boolean onDisk;
    /** The first sequence in memory that may not be in the spool. */
    long unspooledFrom = Long.MAX_VALUE;
    /** Everything below has been in the spool once. */
    long writtenThrough = 1;
    /** Behind the window's memory are updates that the spool did not take. */
    boolean heldTail;
    /** What the spool was last told of this writer: what is acked, and the next sequence. */
    long notedAcked;

    long notedNext = 1;
    /** The sequence of the run's first terminal phase; 0 when it has none yet. */
    long finalSequence;

    private final MemoryBudget budget;
    /** What of the budget is sequenced, over all executions. */
    private final MemoryBudget sequenced;

    private final Counters counters;
    private TextLengths lengths = new TextLengths();
    private final InstantSource clock;

    Outbox(
            StreamKey key,
            SignalLevel level,
            MemoryBudget budget,
            MemoryBudget sequenced,
            Counters counters,
            InstantSource clock) {
        this.key = key;
        this.writer = key.writer();
        this.inbox = new Inbox(budget, counters);
        this.queue = new PendingQueue(inbox, budget, counters);
        this.level = level;
        this.budget = budget;
        this.sequenced = sequenced;
        this.counters = counters;
        this.clock = clock;
    }

    /** Takes over what has been reported by now; what came after a discard is thrown away. */
    void look() {
        if (discarded) {
            counters.discarded.add(inbox.discard());
        } else {
            queue.look();
            if (!queue.isEmpty()) {
                inbox.expect(true);
            }
        }
    }

    /** The oldest ordinal that is not acked; {@link Long#MAX_VALUE} when all are that were taken over. */
    long firstOrdinal() {
        return window.size() > 0 ? window.firstOrdinal() : queue.firstOrdinal();
    }

    boolean isEmpty() {
        return window.size() == 0 && queue.isEmpty() && inbox.isEmpty();
    }

    /** Whether it should say that it lives when it has nothing to say. */
    boolean alive() {
        return !released
                && !orphaned()
                && !discarded
                && !inbox.ended()
                && !(level.said() instanceof AttemptStanding.Closed);
    }

    /** Whether only an earlier process reported it. */
    boolean orphaned() {
        return recovered && !claimed;
    }

    /** Whether nothing is to be sent, nor expected to be. */
    boolean over() {
        return !alive() && isEmpty();
    }

    /** How far apart the server wants appends, within reason. */
    long slowDownNanos() {
        Duration wanted = level.slowDown();
        return (wanted.compareTo(LONGEST_SLOW_DOWN) > 0 ? LONGEST_SLOW_DOWN : wanted).toNanos();
    }

    /** Gives a pending item its sequence; text gets its offset. */
    Sequenced sequence(Pending item, long sequence) {
        Sequenced update = sequenced(item);
        if (update.last) {
            finalSequence = sequence;
        }
        lengths.follow(update.update);
        budget.release(item.charge);
        budget.reserve(update.charge);
        counters.sequenced.increment();
        return update;
    }

    /** Takes what got the next sequence into the window's memory. */
    void keep(Sequenced update) {
        sequenced.reserve(update.charge);
        unspooledFrom = Math.min(unspooledFrom, window.next());
        window.add(update);
    }

    /** Goes on where an earlier process left off. */
    void restore(RecoveredStream stream) {
        List<Run> runs = stream.pending();
        long calls = 0;
        for (Run run : runs) {
            calls += run.calls();
            budget.reserve(Run.ALLOWANCE);
            if (run.segment() != null) {
                run.segment().hold(run.updates());
            }
        }
        window.restore(stream.acked() + 1, runs, stream.next());
        cursor = window.first();
        writtenThrough = window.next();
        finalSequence = stream.finalSequence();
        lengths = stream.lengths();
        lastAcked = finalSequence > 0 && finalSequence <= stream.acked();
        queue.restore(window.size(), calls, finalSequence > 0);
    }

    /** The lengths of texts when all that has a sequence is merged. */
    TextLengths lengths() {
        return lengths;
    }

    /** What stands for an update that the spool lost. */
    Sequenced lost(long ordinal, String reason) {
        return new Sequenced(omitted(1, reason), ordinal, 1, false, true, "");
    }

    /** A segment is no longer where anything in memory is. */
    void unwrite(SpoolSegment segment) {
        for (long sequence = window.first(); sequence < window.loaded(); sequence++) {
            Sequenced update = window.get(sequence);
            if (update.segment == segment) {
                update.segment = null;
                segment.release(1);
                unspooledFrom = Math.min(unspooledFrom, sequence);
            }
        }
    }

    /** Whether the spool has all that has a sequence. */
    boolean written() {
        return unspooledFrom >= window.loaded() && !heldTail;
    }

    /** The next batch from the cursor on, and moves the cursor behind it. There must be something to send. */
    PublishUpdatesRequest nextBatch(long now) {
        Sequenced first = window.get(cursor);
        UpdateBatch.Builder batch = UpdateBatch.newBuilder()
                .setExecutionId(key.executionId())
                .setWriter(writer)
                .setEpoch(key.epoch())
                .setFirstSequence(cursor)
                .setTraceparent(first.traceparent);
        int bytes = 0;
        while (cursor < window.loaded() && batch.getUpdatesCount() < Limits.BATCH_UPDATES) {
            Sequenced next = window.get(cursor);
            // Tag and length stand before each update.
            bytes += next.size + 5;
            if (batch.getUpdatesCount() > 0 && (bytes > Limits.BATCH || !next.traceparent.equals(first.traceparent))) {
                break;
            }
            batch.addUpdates(next.update);
            counters.sent.increment();
            if (next.sent) {
                counters.resent.increment();
            }
            next.sent = true;
            next.sentNanos = now;
            cursor++;
        }
        counters.batches.increment();
        lastFrameNanos = now;
        return PublishUpdatesRequest.newBuilder().setBatch(batch).build();
    }

    /** Everything up to the sequence is durable. Returns the newest such update's time on the wire, or -1. */
    long ack(long sequence, long now) {
        long roundTrip = -1;
        long bytes = 0;
        while (window.first() < window.loaded() && window.first() <= sequence) {
            Sequenced update = window.removeFirst();
            bytes += update.charge;
            release(update);
            counters.acked.increment();
            queue.settle(update.calls);
            if (update.last) {
                lastAcked = true;
            }
            if (update.sent) {
                roundTrip = now - update.sentNanos;
            }
        }
        if (bytes > 0) {
            budget.release(bytes);
            sequenced.release(bytes);
            cursor = Math.max(cursor, window.first());
            lastAckNanos = now;
            refusals = 0;
        }
        return roundTrip;
    }

    /** Sends again from the sequence on, or from the first that is not acked. */
    void rewind(long sequence) {
        cursor = Math.min(cursor, Math.max(sequence, window.first()));
    }

    /**
     * Puts something that will be taken in the place of a refused update: the bare phase for a final status, else an
     * Omitted. False when what was refused is such a stand-in already.
     */
    boolean substitute(long sequence, String reason) {
        Sequenced refused = window.get(sequence);
        Update bare = barePhase(refused.update);
        if (refused.last && !bare.equals(refused.update)) {
            replace(sequence, refused.replacedBy(bare));
            return true;
        }
        if (refused.substitute && refused.update.hasOmitted()) {
            return false;
        }
        counters.omitted.add(Math.max(1, refused.calls));
        replace(sequence, refused.replacedBy(omitted(refused.calls, reason)));
        return true;
    }

    /** Throws everything away. */
    void discard() {
        discarded = true;
        counters.discarded.add(queue.discard());
        long bytes = 0;
        while (window.first() < window.loaded()) {
            Sequenced update = window.removeFirst();
            bytes += update.charge;
            release(update);
        }
        budget.release(bytes);
        sequenced.release(bytes);
        for (Run run : window.tail()) {
            if (run.segment() != null) {
                run.segment().release(run.updates());
            }
            budget.release(
                    run.held() == null
                            ? Run.ALLOWANCE
                            : run.held().stream()
                                    .mapToLong(update -> update.charge)
                                    .sum());
        }
        window.dropTail();
        cursor = window.first();
        unspooledFrom = Long.MAX_VALUE;
        heldTail = false;
    }

    private static void release(Sequenced update) {
        if (update.segment != null) {
            update.segment.release(1);
            update.segment = null;
        }
    }

    /** What is not acked, as a flush reports it; {@code updates} is 0 when all is. For any thread. */
    FlushResult.Missing missing() {
        return new FlushResult.Missing(
                key.executionId(),
                key.writerName(),
                key.epoch(),
                inbox.waiting(),
                inbox.ended() && !lastAcked && !discarded,
                onDisk);
    }

    private void replace(long sequence, Sequenced update) {
        Sequenced before = window.get(sequence);
        budget.release(before.charge);
        sequenced.release(before.charge);
        budget.reserve(update.charge);
        sequenced.reserve(update.charge);
        release(before);
        window.set(sequence, update);
        unspooledFrom = Math.min(unspooledFrom, sequence);
        counters.substituted.increment();
    }

    private Sequenced sequenced(Pending item) {
        if (item instanceof Pending.Whole whole) {
            return new Sequenced(whole.update, item.ordinal, item.calls, whole.last, false, item.traceparent);
        }
        if (item instanceof Pending.Text text) {
            long offset = lengths.of(text.key);
            if (offset + text.text.length() > Limits.TEXT) {
                counters.omitted.add(Math.max(1, item.calls));
                return note(item, "text beyond " + Limits.TEXT + " bytes of " + text.key.entryId());
            }
            Update append = Update.newBuilder()
                    .setOccurredAt(text.occurredAt)
                    .setTextAppended(TextAppended.newBuilder()
                            .setEntryId(text.key.entryId())
                            .setField(text.key.field())
                            .setOffset(offset)
                            .setTextBytes(text.text.toByteString()))
                    .build();
            return new Sequenced(append, item.ordinal, item.calls, false, false, item.traceparent);
        }
        return note(item, ((Pending.Left) item).reason);
    }

    private Sequenced note(Pending item, String reason) {
        return new Sequenced(omitted(item.calls, reason), item.ordinal, item.calls, false, false, item.traceparent);
    }

    private Update omitted(long count, String reason) {
        long millis = clock.millis();
        return Update.newBuilder()
                .setOccurredAt(Timestamp.newBuilder()
                        .setSeconds(Math.floorDiv(millis, 1000L))
                        .setNanos((int) Math.floorMod(millis, 1000L) * 1_000_000))
                .setOmitted(Omitted.newBuilder()
                        .setCount(Math.max(1, count))
                        .setReason(Utf8.firstCharacters(reason, Limits.REASON_CHARACTERS)))
                .build();
    }

    private static Update barePhase(Update update) {
        Update.Builder bare = Update.newBuilder();
        bare.getPhaseChangedBuilder().setPhase(update.getPhaseChanged().getPhase());
        return bare.build();
    }
}
