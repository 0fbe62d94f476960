package dev.runcast.faults;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waiting for what must come about. */
final class Await {
    private static final Duration LOOK = Duration.ofMillis(100);

    private Await() {}

    /** Waits until it holds. */
    static void until(String what, Duration timeout, BooleanSupplier holds) {
        if (!within(timeout, holds)) {
            throw new IllegalStateException(what + ": not within " + timeout.toSeconds() + " s");
        }
    }

    /** Waits until it holds or the time is up; whether it holds. */
    static boolean within(Duration timeout, BooleanSupplier holds) {
        long until = System.nanoTime() + timeout.toNanos();
        while (!holds.getAsBoolean()) {
            if (System.nanoTime() - until > 0) {
                return false;
            }
            pause(LOOK);
        }
        return true;
    }

    /** Lets time pass: how long a fault lasts, and the rhythm of a load. */
    static void pause(Duration duration) {
        try {
            Thread.sleep(duration.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
