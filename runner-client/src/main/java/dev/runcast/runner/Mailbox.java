package dev.runcast.runner;

import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * What other threads have for the sender's: executions whose queues have something new, and small tasks. Putting
 * something in never blocks. Thread-safe.
 */
final class Mailbox {
    private final ConcurrentLinkedQueue<Outbox> dirty = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final Runnable wake;

    /** The wake-up is called after something was put in. */
    Mailbox(Runnable wake) {
        this.wake = wake;
    }

    /** An execution's queue has something new. */
    void look(Outbox outbox) {
        if (outbox.dirty.compareAndSet(false, true)) {
            dirty.add(outbox);
            wake.run();
        }
    }

    void post(Runnable task) {
        tasks.add(task);
        wake.run();
    }

    /** An execution to look at, or null; what is put into its queue from now on puts it in here again. */
    @Nullable
    Outbox nextDirty() {
        Outbox outbox = dirty.poll();
        if (outbox != null) {
            outbox.dirty.set(false);
        }
        return outbox;
    }

    @Nullable
    Runnable nextTask() {
        return tasks.poll();
    }
}
