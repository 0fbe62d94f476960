package dev.runcast.runner;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that gives the {@link Sender} its turns. A daemon: reporting never keeps a process alive. */
final class SenderThread {
    private static final Logger logger = LoggerFactory.getLogger(SenderThread.class);

    /** What the sender waits after a failure of its own, so that one that repeats does not burn a processor. */
    private static final long AFTER_FAILURE_NANOS = Duration.ofMillis(100).toNanos();

    private final AtomicBoolean called = new AtomicBoolean();
    private final long startNanos = System.nanoTime();
    private volatile @Nullable Runnable last;
    private volatile @Nullable Thread thread;

    /** The time that the sender knows, in nanoseconds from 0. */
    long now() {
        return System.nanoTime() - startNanos;
    }

    /** Has the sender look at its mailbox; never blocks. */
    void wake() {
        if (!called.getAndSet(true)) {
            LockSupport.unpark(thread);
        }
    }

    void start(Sender sender) {
        Thread started = new Thread(() -> run(sender), "runcast-sender");
        started.setDaemon(true);
        thread = started;
        started.start();
    }

    /** Whether the sender gets turns. */
    boolean running() {
        Thread started = thread;
        return started != null && started.isAlive() && last == null;
    }

    /** Ends the thread after its present turn and that last task, and waits for it. */
    void stop(Runnable lastTask, Duration timeout) {
        last = lastTask;
        wake();
        Thread running = thread;
        if (running == null) {
            return;
        }
        try {
            running.join(Math.max(1, timeout.toMillis()));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void run(Sender sender) {
        Runnable lastTask = last;
        while (lastTask == null) {
            called.set(false);
            long next;
            try {
                next = sender.turn(now());
            } catch (RuntimeException | Error thrown) {
                next = now() + AFTER_FAILURE_NANOS;
                recover(sender, thrown);
            }
            long wait = next - now();
            if (wait > 0 && !called.get()) {
                LockSupport.parkNanos(this, wait);
            }
            lastTask = last;
        }
        lastTask.run();
    }

    private static void recover(Sender sender, Throwable thrown) {
        try {
            sender.recover(thrown);
        } catch (RuntimeException | Error again) {
            logger.error("The sender cannot begin again", again);
        }
    }
}
