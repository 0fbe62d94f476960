package dev.runcast.runner;

import com.google.protobuf.Timestamp;
import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Update;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What an execution reported and the sender has not given a sequence yet, in order. Thread-safe: the agent's threads put
 * in, the sender takes out; the lock is held for the time of a few assignments and never during I/O.
 *
 * <p>Appends to one text are merged as long as nothing but other text was reported in between, since text of different
 * entries commutes and everything else might not. An append has no offset here: it gets one with its sequence, so what
 * is left out before it does not put it in the wrong place. The first half of a surrogate pair is held back until its
 * other half comes.
 */
final class PendingQueue {
    private final MemoryBudget budget;
    private final Counters counters;
    private final PendingList list = new PendingList();
    private final Map<TextKey, Pending.Text> growing = new HashMap<>();
    private final Map<TextKey, Character> halves = new HashMap<>();
    private long lastOrdinal;
    /** What was taken out and is not settled: items, and the reported updates in them. */
    private long takenItems;

    private long takenCalls;
    private String traceparent = "";
    private boolean lastReported;
    private boolean discarded;

    PendingQueue(MemoryBudget budget, Counters counters) {
        this.budget = budget;
        this.counters = counters;
    }

    /** Adds an update, in several parts if it is too large for one. False when nothing is taken any more. */
    boolean offer(Update update) {
        int size = update.getSerializedSize();
        synchronized (this) {
            if (discarded) {
                return false;
            }
            settleHalves(update);
            if (size <= Limits.UPDATE) {
                add(update, size);
            } else if (update.hasEntryUpserted()
                    && !EntryTexts.of(update.getEntryUpserted().getEntry()).isEmpty()) {
                addInParts(update);
            } else {
                leaveOut(1, "an update of " + size + " bytes (expected: at most " + Limits.UPDATE + ")");
            }
            return true;
        }
    }

    /** Appends text. True when the sender has something new to look at, false when it had it before. */
    synchronized boolean append(TextKey key, String text, Timestamp occurredAt) {
        if (discarded) {
            return false;
        }
        Character half = halves.remove(key);
        String whole = half == null ? text : half + text;
        if (!whole.isEmpty() && Character.isHighSurrogate(whole.charAt(whole.length() - 1))) {
            halves.put(key, whole.charAt(whole.length() - 1));
            whole = whole.substring(0, whole.length() - 1);
        }
        if (whole.isEmpty()) {
            counters.coalesced.increment();
            return false;
        }
        return addText(key, whole, occurredAt, false);
    }

    /** Adds the note that updates were left out. */
    synchronized void leaveOut(long count, String reason) {
        if (discarded) {
            return;
        }
        counters.omitted.add(count);
        growing.clear();
        if (list.tail() instanceof Pending.Left left && left.reason.equals(reason)) {
            list.grow(left, 0, count);
            return;
        }
        budget.reserve(Pending.OMITTED_ALLOWANCE);
        list.addLast(new Pending.Left(++lastOrdinal, Pending.OMITTED_ALLOWANCE, count, reason));
    }

    /** Sets the trace of what is reported from now on; empty means none. */
    synchronized void traceparent(String value) {
        if (!traceparent.equals(value)) {
            traceparent = value;
            growing.clear();
        }
    }

    /** Gives up waiting for the other halves of surrogate pairs. */
    synchronized void settleHalves() {
        for (TextKey key : List.copyOf(halves.keySet())) {
            replaceHalf(key);
        }
    }

    /**
     * Takes out the oldest item if it may go: text waits for its cadence unless {@code textDue}, something urgent stands
     * behind it, or its ordinal is at most {@code flushThrough}.
     */
    synchronized @Nullable Pending poll(boolean textDue, long flushThrough) {
        Pending head = list.head();
        if (head == null || (list.urgent() == 0 && !textDue && head.ordinal > flushThrough)) {
            return null;
        }
        remove(head);
        takenItems++;
        takenCalls += head.calls;
        return head;
    }

    /** What was taken out as one item, with so many reported updates in it, is acked. */
    synchronized void settle(long calls) {
        takenItems--;
        takenCalls -= calls;
    }

    /** An earlier process reported so much that is not acked, and perhaps the end. */
    synchronized void restore(long updates, long calls, boolean ended) {
        takenItems += updates;
        takenCalls += calls;
        lastReported |= ended;
    }

    /** So many more reported updates are in what was taken out than was known. */
    synchronized void recount(long calls) {
        takenCalls += calls;
    }

    /** Throws everything away and takes nothing more. Returns how many reported updates were thrown away. */
    synchronized long discard() {
        long calls = list.calls() + takenCalls;
        discarded = true;
        takenItems = 0;
        takenCalls = 0;
        budget.release(list.bytes());
        for (Pending head = list.head(); head != null; head = list.head()) {
            list.remove(head);
        }
        growing.clear();
        halves.clear();
        return calls;
    }

    synchronized boolean isEmpty() {
        return list.head() == null;
    }

    /** The ordinal of the oldest item; {@link Long#MAX_VALUE} when there is none. */
    synchronized long firstOrdinal() {
        Pending head = list.head();
        return head == null ? Long.MAX_VALUE : head.ordinal;
    }

    /** The ordinal of the newest thing ever reported; 0 when there was none. */
    synchronized long lastOrdinal() {
        return lastOrdinal;
    }

    synchronized long bytes() {
        return list.bytes();
    }

    /** How many reported updates are not acked; at least 1 when anything is not. */
    synchronized long waiting() {
        return list.head() == null && takenItems == 0 ? 0 : Math.max(1, list.calls() + takenCalls);
    }

    /** Whether the run's end has been reported. */
    synchronized boolean lastReported() {
        return lastReported;
    }

    /** For {@link MemoryRelief}, which holds this queue's lock meanwhile. */
    PendingList list() {
        return list;
    }

    /** Takes out an item, under the lock: text in it no longer grows. */
    void remove(Pending item) {
        list.remove(item);
        if (item instanceof Pending.Text text) {
            growing.remove(text.key, text);
        }
    }

    private void add(Update update, int size) {
        boolean last = !lastReported && Changes.terminal(update);
        long charge = size + (long) Pending.UPDATE_ALLOWANCE;
        if (last) {
            lastReported = true;
            budget.reserve(charge);
        } else if (!budget.tryReserve(charge)) {
            leaveOut(1, budget.reached());
            return;
        }
        growing.clear();
        list.addLast(new Pending.Whole(++lastOrdinal, traceparent, charge, 1, update, last));
    }

    private void addInParts(Update update) {
        Entry entry = update.getEntryUpserted().getEntry();
        Update opening = Changes.opening(update);
        if (opening.getSerializedSize() > Limits.UPDATE) {
            leaveOut(1, "an entry of " + opening.getSerializedSize() + " bytes beside its texts");
            return;
        }
        add(opening, opening.getSerializedSize());
        EntryTexts.of(entry).forEach((field, text) -> {
            if (!text.isEmpty()) {
                addText(new TextKey(entry.getEntryId(), field), text, update.getOccurredAt(), true);
            }
        });
        Update closing = Changes.closing(update);
        add(closing, closing.getSerializedSize());
    }

    /** Adds text to the item that grows, and to new ones what it does not hold. True when there is a new one. */
    private boolean addText(TextKey key, String text, Timestamp occurredAt, boolean part) {
        long remaining = Utf8.length(text);
        boolean added = false;
        for (int from = 0; from < text.length(); ) {
            Pending.Text growingItem = part ? null : growing.get(key);
            // The longest character takes 4 bytes.
            boolean fresh = growingItem == null || Limits.APPEND - growingItem.text.length() < 4;
            Pending.Text item = growingItem == null || fresh ? newText(key, occurredAt, part, from == 0) : growingItem;
            int room = (int) Math.min(remaining, Limits.APPEND - item.text.length());
            long growth = (long) item.text.capacityFor(room) - item.text.capacity();
            if (!budget.tryReserve(growth + (fresh ? item.charge : 0))) {
                leaveOut(1, budget.reached());
                return true;
            }
            int before = item.text.length();
            from = item.text.append(text, from, room, counters);
            remaining -= item.text.length() - before;
            if (fresh) {
                item.charge += growth;
                list.addLast(item);
                if (!part) {
                    growing.put(key, item);
                }
                added = true;
            } else {
                list.grow(item, growth, 1);
                item.occurredAt = occurredAt;
                counters.coalesced.increment();
            }
        }
        return added;
    }

    private Pending.Text newText(TextKey key, Timestamp occurredAt, boolean part, boolean first) {
        Utf8Buffer buffer = new Utf8Buffer();
        long charge = (long) Pending.TEXT_ALLOWANCE + buffer.capacity();
        return new Pending.Text(++lastOrdinal, traceparent, charge, first ? 1 : 0, key, buffer, occurredAt, part);
    }

    private void settleHalves(Update update) {
        if (halves.isEmpty()) {
            return;
        }
        if (Changes.terminal(update)) {
            settleHalves();
        } else if (update.hasEntryUpserted()) {
            Entry entry = update.getEntryUpserted().getEntry();
            Map<?, ?> replaced = EntryTexts.of(entry);
            for (TextKey key : List.copyOf(halves.keySet())) {
                if (key.entryId().equals(entry.getEntryId())) {
                    if (replaced.containsKey(key.field())) {
                        halves.remove(key);
                        counters.replacedSurrogates.increment();
                    } else if (Changes.finished(entry.getState())) {
                        replaceHalf(key);
                    }
                }
            }
        }
    }

    private void replaceHalf(TextKey key) {
        halves.remove(key);
        counters.replacedSurrogates.increment();
        Pending.Text item = growing.get(key);
        Timestamp occurredAt = item == null ? Timestamp.getDefaultInstance() : item.occurredAt;
        addText(key, String.valueOf(Utf8.REPLACEMENT), occurredAt, false);
    }
}
