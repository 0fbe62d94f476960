package dev.runcast.sink;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** Runs something twice a second while something else is done, and once more when that is over. */
final class Ticker {
    private static final long MILLIS = 500;

    private Ticker() {}

    /** Does the work on the calling thread. */
    static void during(Runnable work, Runnable tick) {
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "rebuild-progress");
            thread.setDaemon(true);
            return thread;
        });
        ScheduledFuture<?> ticking = timer.scheduleWithFixedDelay(tick, MILLIS, MILLIS, TimeUnit.MILLISECONDS);
        try {
            work.run();
        } finally {
            ticking.cancel(false);
            timer.shutdown();
        }
        tick.run();
    }
}
