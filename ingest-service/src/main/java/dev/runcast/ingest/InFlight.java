package dev.runcast.ingest;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes that are on their way to the log, of all streams together, and who waits for there to be fewer.
 * Thread-safe.
 */
final class InFlight {
    private final long limit;
    private final AtomicLong bytes = new AtomicLong();
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private volatile long lastProgress = System.nanoTime();

    InFlight(long limit) {
        this.limit = limit;
    }

    /** Takes room if there is some; an empty pipeline takes anything, so that nothing is too large for ever. */
    boolean tryTake(long wanted) {
        while (true) {
            long now = bytes.get();
            if (now > 0 && now + wanted > limit) {
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

    /** Runs {@code action} once when there may be room again, at once if there is; it must be quick and try again. */
    void whenRoom(Runnable action) {
        waiting.add(action);
        wake();
    }

    private void wake() {
        while (bytes.get() < limit) {
            Runnable next = waiting.poll();
            if (next == null) {
                return;
            }
            next.run();
        }
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
