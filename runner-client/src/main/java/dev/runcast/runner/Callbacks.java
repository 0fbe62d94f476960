package dev.runcast.runner;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs callbacks one after the other on an executor that others use too: a slow one delays only those behind it here.
 * Thread-safe.
 */
final class Callbacks {
    private static final Logger logger = LoggerFactory.getLogger(Callbacks.class);

    private final Executor executor;
    private final Counters counters;
    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private boolean running;

    Callbacks(Executor executor, Counters counters) {
        this.executor = executor;
        this.counters = counters;
    }

    /** Runs it later, once; what it throws is logged and counted. */
    void call(Runnable callback) {
        synchronized (waiting) {
            waiting.add(callback);
            if (running) {
                return;
            }
            running = true;
        }
        try {
            executor.execute(this::drain);
        } catch (RuntimeException | Error refused) {
            synchronized (waiting) {
                running = false;
                waiting.clear();
            }
            counters.callbackFailures.increment();
            logger.warn("A callback cannot be run", refused);
        }
    }

    /** Runs it later beside the others. */
    void aside(Runnable callback) {
        new Callbacks(executor, counters).call(callback);
    }

    private void drain() {
        for (Runnable callback = next(); callback != null; callback = next()) {
            try {
                callback.run();
            } catch (Throwable thrown) {
                // A stranger's code: whatever it throws must not cost the callbacks behind it.
                counters.callbackFailures.increment();
                logger.warn("A callback failed", thrown);
            }
        }
    }

    private @Nullable Runnable next() {
        synchronized (waiting) {
            Runnable callback = waiting.poll();
            running = callback != null;
            return callback;
        }
    }
}
