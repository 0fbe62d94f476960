package dev.runcast.runner;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What other threads have for the sender's: executions with something new, and small tasks. Putting something in never
 * blocks. Thread-safe.
 *
 * <p>Waking a thread costs who wakes it more than all else that a report does. So whoever puts something in first puts it
 * in and then reads how the reader is, and the reader first says how it will be and then looks whether there is anything
 * (Dekker's way of not missing each other): an agent wakes only a reader that is asleep, and one that rests comes soon.
 */
final class Mailbox {
    private enum Reader {
        AWAKE,
        /** It comes by itself within a moment: what an agent reports can wait for it, a task cannot. */
        RESTING,
        /** It comes when its next timer rings, or when it is woken. */
        ASLEEP
    }

    private final ConcurrentLinkedQueue<Outbox> dirty = new ConcurrentLinkedQueue<>();
    private final ConcurrentLinkedQueue<Runnable> tasks = new ConcurrentLinkedQueue<>();
    private final AtomicReference<Reader> reader = new AtomicReference<>(Reader.AWAKE);
    private final Runnable wake;
    /** Agents reported something since the reader began its turn. */
    private volatile boolean reported;
    /** There are tasks since then. */
    private volatile boolean posted;

    /** The wake-up is called when the reader may be parked and has to look. */
    Mailbox(Runnable wake) {
        this.wake = wake;
    }

    /** An execution has something new. */
    void look(Outbox outbox) {
        if (outbox.dirty.compareAndSet(false, true)) {
            dirty.add(outbox);
        }
        noticed();
        if (reader.get() == Reader.ASLEEP && reader.compareAndSet(Reader.ASLEEP, Reader.AWAKE)) {
            wake.run();
        }
    }

    /** An agent reported something for which the reader comes by itself, and may report more. */
    void noticed() {
        if (!reported) {
            reported = true;
        }
    }

    void post(Runnable task) {
        tasks.add(task);
        call();
    }

    /** Has the reader look at once. */
    void call() {
        posted = true;
        if (reader.getAndSet(Reader.AWAKE) != Reader.AWAKE) {
            wake.run();
        }
    }

    /** The reader begins a turn. Returns whether agents reported something since the last one began. */
    boolean begin() {
        reader.set(Reader.AWAKE);
        posted = false;
        boolean agents = reported;
        reported = false;
        return agents;
    }

    /** The reader is going to sleep, or to rest. False when it must not, since there is something for it. */
    boolean lieDown(boolean rest) {
        reader.set(rest ? Reader.RESTING : Reader.ASLEEP);
        return !posted && (rest || !reported);
    }

    /** An execution to look at, or null; what is put into its inbox from now on puts it in here again. */
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
