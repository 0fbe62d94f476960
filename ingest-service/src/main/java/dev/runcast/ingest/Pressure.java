package dev.runcast.ingest;

import java.time.Duration;

/**
 * How far apart runners should send appends, judged by how full the pipeline is and whether it moves. Goes
 * up at once and down one step a look, so that runners are not told back and forth. {@link #slowDown()} may
 * be read by any thread.
 */
final class Pressure {
    private static final Duration[] STEPS = {
        Duration.ZERO, Duration.ofMillis(500), Duration.ofSeconds(1), Duration.ofSeconds(2)
    };
    private static final long STALLED_NANOS = Duration.ofSeconds(1).toNanos();

    private final InFlight inFlight;
    private volatile int step;

    Pressure(InFlight inFlight) {
        this.inFlight = inFlight;
    }

    /** The least time between appends; zero means at will. */
    Duration slowDown() {
        return STEPS[step];
    }

    /** Judges anew. Whether that changes what runners should be told. */
    boolean look() {
        double fill = inFlight.fill();
        int wanted = fill >= 0.9 ? 3 : fill >= 0.7 ? 2 : fill >= 0.5 ? 1 : 0;
        if (inFlight.stalledNanos() > STALLED_NANOS) {
            wanted = Math.max(wanted, 2);
        }
        int next = Math.max(wanted, step - 1);
        boolean changed = next != step;
        step = next;
        return changed;
    }
}
