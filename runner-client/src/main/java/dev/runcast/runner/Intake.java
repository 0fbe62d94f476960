package dev.runcast.runner;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Gives their sequences to what agents reported, when there is room for what has one. Without a spool that is half of
 * the memory bound: the other half stays without a sequence, where it can still be merged and, in the end, left out.
 * With one everything is taken as it comes, written, and kept in memory as far as that half goes. Belongs to the sender's
 * thread.
 */
final class Intake {
    private final MemoryBudget budget;
    private final MemoryBudget sequenced;
    private final Cadence cadence;
    private final Spooler spooler;
    private final ArrayDeque<Outbox> starved = new ArrayDeque<>();

    Intake(MemoryBudget budget, MemoryBudget sequenced, Cadence cadence, Spooler spooler) {
        this.budget = budget;
        this.sequenced = sequenced;
        this.cadence = cadence;
        this.spooler = spooler;
    }

    /** Gives a sequence to what may go now: without a spool as much as one batch takes, with one everything. */
    void fill(Outbox outbox, long now, long leastNanos) {
        // The last look at what comes without a word: from here on the sender is told.
        outbox.inbox.expect(false);
        outbox.queue.look();
        boolean textDue = now >= outbox.nextTextNanos || (spooler.on() && budget.used() > budget.bound() / 4);
        boolean text = false;
        boolean more = true;
        while (more) {
            Taken taken = take(outbox, textDue, now, false);
            text |= taken.text;
            more = taken.full && spooler.on();
            if (taken.drained && text) {
                outbox.nextTextNanos = now + Math.max(Math.max(cadence.interval(), leastNanos), outbox.slowDownNanos());
            }
        }
        outbox.inbox.expect(!outbox.queue.isEmpty());
        spooler.store(outbox, now);
    }

    /** Gives a sequence to everything, at the end, whatever the spool takes already. */
    void drain(Outbox outbox, long now) {
        outbox.starved = false;
        outbox.look();
        while (!outbox.discarded && take(outbox, true, now, true).full) {
            spooler.store(outbox, now);
        }
    }

    /** Brings what comes next into memory, if there is room. */
    void load(Outbox outbox) {
        if (sequenced.used() < sequenced.bound()) {
            spooler.load(outbox);
        } else {
            starve(outbox);
        }
    }

    /** Who waits for room, if there is some again; null when there is none, or nobody waits. */
    @Nullable
    Outbox fed() {
        Outbox outbox = sequenced.used() < sequenced.bound() || spooler.hasRoom() ? starved.poll() : null;
        if (outbox != null) {
            outbox.starved = false;
        }
        return outbox;
    }

    /** Nobody waits for room. */
    void clear() {
        starved.forEach(outbox -> outbox.starved = false);
        starved.clear();
    }

    /**
     * What one round took.
     *
     * @param full a batch's worth, so that there may be more
     * @param text text was among it
     * @param drained there was nothing more that may go now
     */
    private record Taken(boolean full, boolean text, boolean drained) {}

    private Taken take(Outbox outbox, boolean textDue, long now, boolean atTheEnd) {
        boolean text = false;
        boolean drained = false;
        long bytes = 0;
        int updates = 0;
        List<Sequenced> behind = new ArrayList<>();
        while (updates < Limits.BATCH_UPDATES && bytes < Limits.BATCH) {
            boolean memory = behind.isEmpty() && !outbox.window.hasTail() && sequenced.used() < sequenced.bound();
            boolean disk = spooler.hasRoom() || (atTheEnd && spooler.on());
            if (!memory && !disk) {
                starve(outbox);
                break;
            }
            Pending item = outbox.queue.poll(textDue, atTheEnd ? Long.MAX_VALUE : outbox.flushThrough);
            if (item == null) {
                drained = true;
                break;
            }
            text |= !item.urgent();
            Sequenced update = outbox.sequence(item, outbox.window.next() + behind.size());
            if (memory) {
                outbox.keep(update);
            } else {
                behind.add(update);
            }
            bytes += update.size;
            updates++;
        }
        if (!behind.isEmpty()) {
            spooler.append(outbox, behind, now);
        }
        return new Taken(!drained && !outbox.starved, text, drained);
    }

    private void starve(Outbox outbox) {
        if (!outbox.starved) {
            outbox.starved = true;
            starved.add(outbox);
        }
    }
}
