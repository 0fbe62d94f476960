package dev.runcast.sink;

import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Runs something twice a second until it is closed, and once more then. */
final class Ticker implements AutoCloseable {
    private static final long MILLIS = 500;

    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "rebuild-progress");
        thread.setDaemon(true);
        return thread;
    });
    private final Runnable tick;

    Ticker(Runnable tick) {
        this.tick = tick;
        timer.scheduleWithFixedDelay(tick, MILLIS, MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        timer.shutdown();
        tick.run();
    }
}
