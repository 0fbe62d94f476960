package dev.runcast.api.watch;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.Disposable;
import reactor.core.scheduler.Scheduler;

/**
 * A task that is put off again and again, and comes at the newest of the times that were set. What was put off before is
 * passed over when its time comes, and not cancelled: it may run, and put off the next one, before whoever scheduled it
 * has a handle to keep, and keeping that would cancel the next one. Thread-safe.
 */
final class Newest implements Disposable {
    private final Scheduler timer;
    private final Runnable task;
    private final AtomicLong turn = new AtomicLong();
    private volatile boolean disposed;

    Newest(Scheduler timer, Runnable task) {
        this.timer = timer;
        this.task = task;
    }

    /** Lets the task come so much later, and at no other time. */
    void after(Duration delay) {
        long mine = turn.incrementAndGet();
        timer.schedule(
                () -> {
                    if (turn.get() == mine && !disposed) {
                        task.run();
                    }
                },
                delay.toMillis(),
                TimeUnit.MILLISECONDS);
    }

    /** It does not come any more. */
    @Override
    public void dispose() {
        disposed = true;
    }

    @Override
    public boolean isDisposed() {
        return disposed;
    }
}
