package dev.runcast.runner;

import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The thread that gives the {@link Sender} its turns. A daemon: reporting never keeps a process alive. */
final class SenderThread {
    private static final Logger logger = LoggerFactory.getLogger(SenderThread.class);

    /** What the sender waits after a failure of its own, so that one that repeats does not burn a processor. */
    private static final long AFTER_FAILURE_NANOS = Duration.ofMillis(100).toNanos();

    /**
     * While agents report, the sender looks this often and is not woken. What comes out of a silence goes at once; what
     * comes close behind it waits at most so long.
     */
    private static final long REST_NANOS = Duration.ofMillis(2).toNanos();

    private final Mailbox mailbox = new Mailbox(this::unpark);
    private final long startNanos = System.nanoTime();
    private volatile @Nullable Runnable last;
    private volatile @Nullable Thread thread;

    /** The time that the sender knows, in nanoseconds from 0. */
    long now() {
        return System.nanoTime() - startNanos;
    }

    /** What other threads have for this one. */
    Mailbox mailbox() {
        return mailbox;
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
        mailbox.call();
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
        long restUntil = 0;
        while (true) {
            if (mailbox.begin()) {
                restUntil = now() + REST_NANOS;
            }
            Runnable lastTask = last;
            if (lastTask != null) {
                lastTask.run();
                return;
            }
            long next;
            try {
                next = sender.turn(now());
            } catch (RuntimeException | Error thrown) {
                next = now() + AFTER_FAILURE_NANOS;
                recover(sender, thrown);
            }
            long asOf = now();
            boolean rest = asOf < restUntil;
            long wait = (rest ? Math.min(next, restUntil) : next) - asOf;
            if (wait > 0 && mailbox.lieDown(rest)) {
                LockSupport.parkNanos(this, wait);
            }
        }
    }

    private void unpark() {
        LockSupport.unpark(thread);
    }

    private static void recover(Sender sender, Throwable thrown) {
        try {
            sender.recover(thrown);
        } catch (RuntimeException | Error again) {
            logger.error("The sender cannot begin again", again);
        }
    }
}
