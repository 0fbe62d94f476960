package dev.runcast.runner;

import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Update;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes room in a queue when the reporter's memory runs out, on the sender's thread. First appends are merged that more
 * careful rules kept apart. Then content is left out, the oldest first, with a note in its place: growing text, then the
 * texts of entries, then whatever else has no sequence. Never the final status.
 */
final class MemoryRelief {
    /** An entry's texts below this are not worth the note. */
    private static final int LEAST_GAIN = 1024;

    private enum Cut {
        TEXT,
        TEXTS_OF_ENTRIES,
        EVERYTHING
    }

    private final MemoryBudget budget;
    private final Counters counters;

    MemoryRelief(MemoryBudget budget, Counters counters) {
        this.budget = budget;
        this.counters = counters;
    }

    /** Makes room in that queue until so many bytes are free or nothing more can be given up. */
    void relieve(PendingQueue queue, long wanted) {
        long goal = budget.used() - wanted;
        merge(queue);
        for (Cut cut : Cut.values()) {
            if (budget.used() > goal) {
                cut(queue, cut, goal);
            }
        }
        queue.count();
    }

    /** Merges appends to one text across what has nothing to do with its entry. */
    private void merge(PendingQueue queue) {
        Map<TextKey, Pending.Text> earlier = new HashMap<>();
        for (Pending at = queue.list().head(); at != null; ) {
            Pending next = at.next;
            if (at instanceof Pending.Whole whole) {
                earlier.keySet().removeIf(key -> Changes.touches(whole.update, key.entryId()));
            } else if (at instanceof Pending.Text text && !mergeInto(earlier.get(text.key), text, queue)) {
                earlier.put(text.key, text);
            }
            at = next;
        }
    }

    private boolean mergeInto(Pending.@Nullable Text earlier, Pending.Text text, PendingQueue queue) {
        if (earlier == null
                || earlier.part
                || text.part
                || !earlier.traceparent.equals(text.traceparent)
                || earlier.text.length() + text.text.length() > Limits.APPEND) {
            return false;
        }
        long growth = (long) earlier.text.capacityFor(text.text.length()) - earlier.text.capacity();
        long gain = text.charge - growth;
        if (gain <= 0) {
            return false;
        }
        earlier.text.append(text.text);
        earlier.occurredAt = text.occurredAt;
        queue.remove(text);
        queue.list().grow(earlier, growth, text.calls);
        budget.release(gain);
        counters.coalesced.add(text.calls);
        return true;
    }

    private void cut(PendingQueue queue, Cut cut, long goal) {
        for (Pending at = queue.list().head(); at != null && budget.used() > goal; ) {
            Pending next = nextContent(at);
            cut(queue, cut, at);
            at = next;
        }
    }

    private void cut(PendingQueue queue, Cut cut, Pending item) {
        switch (cut) {
            case TEXT -> {
                if (item instanceof Pending.Text) {
                    leaveOut(queue, item);
                }
            }
            case TEXTS_OF_ENTRIES -> {
                if (item instanceof Pending.Whole whole && whole.update.hasEntryUpserted()) {
                    strip(queue, whole);
                }
            }
            case EVERYTHING -> {
                if (item instanceof Pending.Text || item instanceof Pending.Whole whole && !whole.last) {
                    leaveOut(queue, item);
                }
            }
        }
    }

    private void leaveOut(PendingQueue queue, Pending item) {
        Pending before = item.previous;
        queue.remove(item);
        budget.release(item.charge);
        boolean noted = item instanceof Pending.Whole whole && whole.noted;
        note(queue, before, item.ordinal, noted ? 0 : Math.max(1, item.calls));
    }

    private void strip(PendingQueue queue, Pending.Whole whole) {
        Update stripped = Changes.closing(whole.update);
        long gain = (long) whole.update.getSerializedSize() - stripped.getSerializedSize();
        if (gain >= LEAST_GAIN) {
            whole.noted = true;
            whole.update = stripped;
            queue.list().grow(whole, -gain, 0);
            budget.release(gain);
            note(queue, whole.previous, whole.ordinal, 1);
        }
    }

    /** Says behind {@code before} that updates were left out, in one note with those next to it that say the same. */
    private void note(PendingQueue queue, @Nullable Pending before, long ordinal, long count) {
        counters.omitted.add(count);
        PendingList list = queue.list();
        Pending.Left note = same(before);
        if (note == null && count == 0) {
            return;
        }
        if (note == null) {
            note = new Pending.Left(ordinal, Pending.OMITTED_ALLOWANCE, count, budget.reached());
            budget.reserve(note.charge);
            list.insertAfter(before, note);
        } else {
            list.grow(note, 0, count);
        }
        Pending.Left behind = same(note.next);
        if (behind != null) {
            list.remove(behind);
            budget.release(behind.charge);
            list.grow(note, 0, behind.calls);
        }
    }

    private Pending.@Nullable Left same(@Nullable Pending item) {
        return item instanceof Pending.Left left && left.reason.equals(budget.reached()) ? left : null;
    }

    /** The next item that is not a note: notes may be folded away meanwhile. */
    private static @Nullable Pending nextContent(Pending item) {
        Pending next = item.next;
        while (next instanceof Pending.Left) {
            next = next.next;
        }
        return next;
    }
}
