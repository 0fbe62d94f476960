package dev.runcast.benchmarks;

import java.time.Duration;
import java.util.List;

/** How soon the local stack shows something, and how much memory it takes. */
final class StackRow implements Row {
    private static final int EXECUTIONS = 100;
    private static final int PER_SECOND = 1_000;

    @Override
    public String name() {
        return "stack";
    }

    @Override
    public String about() {
        return "the local stack: seconds to the first execution seen live, and resident memory";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        StackProcess stack = bench.stack();
        try (Audience audience = Audience.begin(stack, "memory", EXECUTIONS)) {
            audience.watch(PER_SECOND, Duration.ofSeconds(2));
        }
        double megabytes = stack.process().peakResidentBytes() / 1e6;
        if (megabytes == 0) {
            throw new IllegalStateException("resident memory: not told by this system (expected: /proc/PID/status)");
        }
        bench.say("stack: %,.0f MB resident at most", megabytes);
        return List.of(
                new Figure(
                        name(),
                        "local stack: start to first seen live",
                        Unit.SECONDS,
                        Spread.of(stack.firstSeen().toNanos() / 1e9),
                        null,
                        null,
                        List.of(Goal.atMost(15)),
                        "`runcast up` in its own process, already built, on an empty folder: from the start of its JVM"
                                + " until a viewer of a first execution has it."),
                new Figure(
                        name(),
                        "local stack: peak resident memory",
                        Unit.MEGABYTES,
                        Spread.of(megabytes),
                        null,
                        null,
                        List.of(Goal.atMost(1_200)),
                        "the same process and its Redis, the most they had at once by the end of this row: embedded"
                                + " servers included, after the load of the rows before and of 2 s at 1,000 updates/s."));
    }
}
