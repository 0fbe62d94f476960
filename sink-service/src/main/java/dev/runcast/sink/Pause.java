package dev.runcast.sink;

import java.time.Duration;

/** Waits between two looks at something that others move. */
final class Pause {
    private Pause() {}

    /** @throws RebuildException when the thread is interrupted */
    static void of(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RebuildException("interrupted");
        }
    }
}
