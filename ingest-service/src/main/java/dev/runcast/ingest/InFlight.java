package dev.runcast.ingest;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The bytes that are on their way to the log, of all streams together, and who waits for there to be fewer.
 * Thread-safe.
 */
final class InFlight {
    private final long limit;
    private final AtomicLong bytes = new AtomicLong();
    private final Queue<Waiting> waiting = new ConcurrentLinkedQueue<>();
    private volatile long lastProgress = System.nanoTime();

    private record Waiting(long wanted, Runnable action) {}

    InFlight(long limit) {
        this.limit = limit;
    }

    /**
     * Takes room if there is some and nobody waits for it, so that small frames do not pass a large one for ever; an
     * empty pipeline takes anything, so that nothing is too large for ever.
     */
    boolean tryTake(long wanted) {
        return waiting.isEmpty() && take(wanted);
    }

    private boolean take(long wanted) {
        while (true) {
            long now = bytes.get();
            if (!fits(now, wanted)) {
                return false;
            }
            if (bytes.compareAndSet(now, now + wanted)) {
                if (now == 0) {
                    lastProgress = System.nanoTime();
                }
                return true;
            }
        }
    }

    /** Gives room back and wakes whoever waits for it. */
    void give(long returned) {
        bytes.addAndGet(-returned);
        lastProgress = System.nanoTime();
        wake();
    }

    /**
     * Runs {@code action} once when so much room has been taken for it, at once if there is, in the order of the
     * calls. It must be quick.
     */
    void whenRoom(long wanted, Runnable action) {
        waiting.add(new Waiting(wanted, action));
        wake();
    }

    private void wake() {
        for (Waiting next = granted(); next != null; next = granted()) {
            next.action.run();
        }
    }

    /** The first that waits, if there is room for it, with its room taken. */
    private synchronized @Nullable Waiting granted() {
        Waiting next = waiting.peek();
        return next != null && take(next.wanted) ? waiting.poll() : null;
    }

    private boolean fits(long now, long wanted) {
        return now == 0 || now + wanted <= limit;
    }

    /** What is on its way now. */
    long bytes() {
        return bytes.get();
    }

    /** How full the pipeline is: 0 is empty, 1 full. */
    double fill() {
        return (double) bytes.get() / limit;
    }

    /** For how long something has been on its way without anything arriving, in nanoseconds; 0 when nothing is. */
    long stalledNanos() {
        return bytes.get() == 0 ? 0 : System.nanoTime() - lastProgress;
    }
}
