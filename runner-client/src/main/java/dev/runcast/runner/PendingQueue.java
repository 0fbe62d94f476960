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
 * What the sender took over from an {@link Inbox} and has not given a sequence yet, in order. Belongs to the sender's
 * thread.
 *
 * <p>Appends to one text are merged as long as nothing but other text was reported in between, since text of different
 * entries commutes and everything else might not. An append has no offset here: it gets one with its sequence, so what
 * is left out before it does not put it in the wrong place. The first half of a surrogate pair is held back until its
 * other half comes.
 */
final class PendingQueue {
    private final Inbox inbox;
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
    /** The run's first terminal phase has been seen. */
    private boolean ended;

    PendingQueue(Inbox inbox, MemoryBudget budget, Counters counters) {
        this.inbox = inbox;
        this.budget = budget;
        this.counters = counters;
    }

    /** Takes over what has been reported by now. */
    void look() {
        for (Inbox.Report report : inbox.take()) {
            if (report instanceof Inbox.Text text) {
                trace(text.traceparent());
                append(text);
            } else if (report instanceof Inbox.Whole whole) {
                trace(whole.traceparent());
                settleHalves(whole.update());
                if (whole.update().getSerializedSize() <= Limits.UPDATE) {
                    add(whole.update(), whole.charge());
                } else {
                    budget.release(whole.charge());
                    addInParts(whole.update());
                }
            } else if (report instanceof Inbox.Left left) {
                note(left.count(), left.reason());
            } else {
                List.copyOf(halves.keySet()).forEach(this::replaceHalf);
            }
        }
        count();
    }

    /**
     * Takes out the oldest item if it may go: text waits for its cadence unless {@code textDue}, something urgent stands
     * behind it, or its ordinal is at most {@code flushThrough}.
     */
    @Nullable
    Pending poll(boolean textDue, long flushThrough) {
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
    void settle(long calls) {
        takenItems--;
        takenCalls -= calls;
        count();
    }

    /** An earlier process reported so much that is not acked, and perhaps the end. */
    void restore(long updates, long calls, boolean ended) {
        takenItems += updates;
        takenCalls += calls;
        if (ended) {
            this.ended = true;
            inbox.end();
        }
        count();
    }

    /** So many more reported updates are in what was taken out than was known. */
    void recount(long calls) {
        takenCalls += calls;
        count();
    }

    /** Throws everything away and takes nothing more. Returns how many reported updates were thrown away. */
    long discard() {
        long calls = inbox.discard() + list.calls() + takenCalls;
        takenItems = 0;
        takenCalls = 0;
        budget.release(list.bytes());
        for (Pending head = list.head(); head != null; head = list.head()) {
            list.remove(head);
        }
        growing.clear();
        halves.clear();
        count();
        return calls;
    }

    boolean isEmpty() {
        return list.head() == null;
    }

    /** The ordinal of the oldest item; {@link Long#MAX_VALUE} when there is none. */
    long firstOrdinal() {
        Pending head = list.head();
        return head == null ? Long.MAX_VALUE : head.ordinal;
    }

    /** The ordinal of the newest thing ever reported; 0 when there was none. */
    long lastOrdinal() {
        return lastOrdinal;
    }

    long bytes() {
        return list.bytes();
    }

    /** For {@link MemoryRelief}. */
    PendingList list() {
        return list;
    }

    /** Takes out an item: text in it no longer grows. */
    void remove(Pending item) {
        list.remove(item);
        if (item instanceof Pending.Text text) {
            growing.remove(text.key, text);
        }
    }

    /** Lets anybody see how much is not acked; to be called when that has changed. */
    void count() {
        inbox.taken(list.head() == null && takenItems == 0 ? 0 : Math.max(1, list.calls() + takenCalls));
    }

    private void trace(String value) {
        if (!traceparent.equals(value)) {
            traceparent = value;
            growing.clear();
        }
    }

    private void append(Inbox.Text report) {
        TextKey key = report.key();
        Character half = halves.remove(key);
        String whole = half == null ? report.text() : half + report.text();
        if (!whole.isEmpty() && Character.isHighSurrogate(whole.charAt(whole.length() - 1))) {
            halves.put(key, whole.charAt(whole.length() - 1));
            whole = whole.substring(0, whole.length() - 1);
        }
        if (whole.isEmpty()) {
            counters.coalesced.increment();
            budget.release(report.charge());
            return;
        }
        addText(key, whole, report.occurredAt(), false, report.charge());
    }

    /** Adds an update that has its charge. */
    private void add(Update update, long charge) {
        boolean last = !ended && Changes.terminal(update);
        ended |= last;
        growing.clear();
        list.addLast(new Pending.Whole(++lastOrdinal, traceparent, charge, 1, update, last));
    }

    /** Adds a part of an update that was too large. */
    private void addPart(Update part) {
        long charge = part.getSerializedSize() + (long) Pending.UPDATE_ALLOWANCE;
        if (budget.tryReserve(charge)) {
            add(part, charge);
        } else {
            leaveOut(1, budget.reached());
        }
    }

    /** Says that something was left out which had been taken by the inbox. */
    private void leaveOut(long count, String reason) {
        counters.omitted.add(count);
        budget.reserve(Pending.OMITTED_ALLOWANCE);
        note(count, reason);
    }

    /** Adds a note that has its charge. */
    private void note(long count, String reason) {
        growing.clear();
        // Their other halves may be among what was left out; the next text's first is not theirs.
        counters.replacedSurrogates.add(halves.size());
        halves.clear();
        if (list.tail() instanceof Pending.Left left && left.reason.equals(reason)) {
            budget.release(Pending.OMITTED_ALLOWANCE);
            list.grow(left, 0, count);
        } else {
            list.addLast(new Pending.Left(++lastOrdinal, Pending.OMITTED_ALLOWANCE, count, reason));
        }
    }

    private void addInParts(Update update) {
        Entry entry = update.getEntryUpserted().getEntry();
        Update opening = Changes.opening(update);
        if (opening.getSerializedSize() > Limits.UPDATE) {
            leaveOut(1, "an entry of " + opening.getSerializedSize() + " bytes beside its texts");
            return;
        }
        addPart(opening);
        EntryTexts.of(entry).forEach((field, text) -> {
            if (!text.isEmpty()) {
                addText(new TextKey(entry.getEntryId(), field), text, update.getOccurredAt(), true, 0);
            }
        });
        addPart(Changes.closing(update));
    }

    /** Adds text, of which so much has been charged, to the item that grows, and to new ones what it does not hold. */
    private void addText(TextKey key, String text, Timestamp occurredAt, boolean part, long charged) {
        long remaining = Utf8.length(text);
        long paid = charged;
        for (int from = 0; from < text.length(); ) {
            Pending.Text growingItem = part ? null : growing.get(key);
            // The longest character takes 4 bytes.
            boolean fresh = growingItem == null || Limits.APPEND - growingItem.text.length() < 4;
            Pending.Text item = growingItem == null || fresh ? newText(key, occurredAt, part, from == 0) : growingItem;
            int room = (int) Math.min(remaining, Limits.APPEND - item.text.length());
            long growth = (long) item.text.capacityFor(room) - item.text.capacity();
            if (!budget.tryReserve(growth + (fresh ? item.charge : 0) - paid)) {
                budget.release(paid);
                leaveOut(1, budget.reached());
                return;
            }
            paid = 0;
            int before = item.text.length();
            from = item.text.append(text, from, room, counters);
            remaining -= item.text.length() - before;
            if (fresh) {
                item.charge += growth;
                list.addLast(item);
                if (!part) {
                    growing.put(key, item);
                }
            } else {
                list.grow(item, growth, 1);
                item.occurredAt = occurredAt;
                counters.coalesced.increment();
            }
        }
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
            List.copyOf(halves.keySet()).forEach(this::replaceHalf);
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
        addText(key, String.valueOf(Utf8.REPLACEMENT), occurredAt, false, 0);
    }
}
