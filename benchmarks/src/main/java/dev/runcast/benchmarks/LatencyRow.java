package dev.runcast.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.Histogram;

/** How long an update takes from a runner to whoever watches. */
final class LatencyRow implements Row {
    private static final int EXECUTIONS = 100;
    private static final int PER_SECOND = 1_000;
    /** One update a second of each execution: the path without a queue anywhere. */
    private static final int A_LIGHT_LOAD = 100;
    /** The direct design cannot do much more, and what it has not done yet would meet the first round. */
    private static final int WARM_UP_PER_SECOND = 500;

    @Override
    public String name() {
        return "latency";
    }

    @Override
    public String about() {
        return "from the sending of an update to a viewer's screen, beside the old direct design";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        StackProcess stack = bench.stack();
        try (DirectProcess direct = DirectProcess.start(bench)) {
            Duration warmUp = bench.scale().warmUpFor();
            turn(direct, WARM_UP_PER_SECOND, warmUp);
            turn(stack, PER_SECOND, warmUp);
            bench.say("latency: warmed up");
            List<Figure> figures = new ArrayList<>();
            for (int perSecond : List.of(A_LIGHT_LOAD, PER_SECOND)) {
                figures.addAll(measure(bench, stack, direct, perSecond));
            }
            return figures;
        }
    }

    private List<Figure> measure(Workbench bench, Design stack, Design direct, int perSecond) throws Exception {
        Duel middle = new Duel();
        Duel tail = new Duel();
        for (int round = 1; round <= bench.scale().rounds(); round++) {
            Histogram theirs = turn(direct, perSecond, bench.scale().watchFor());
            Histogram ours = turn(stack, perSecond, bench.scale().watchFor());
            middle.add(millis(ours, 50), millis(theirs, 50));
            tail.add(millis(ours, 99), millis(theirs, 99));
            bench.say(
                    "latency: round %d of %d at %,d/s: p50 %.2f ms, p99 %.1f ms, p99.9 %.1f ms; direct design %.2f, %.1f, %.1f ms",
                    round,
                    bench.scale().rounds(),
                    perSecond,
                    millis(ours, 50),
                    millis(ours, 99),
                    millis(ours, 99.9),
                    millis(theirs, 50),
                    millis(theirs, 99),
                    millis(theirs, 99.9));
        }
        String how =
                "%,d updates/s over 100 executions, one an update a batch, a server-sent-events viewer on each; from the"
                                .formatted(perSecond)
                        + " intended time of sending. The local stack in its own process with its JVM options, embedded"
                        + " servers included; beside it the old direct design (load, merge, replace, publish), in its own"
                        + " process on the same MongoDB wire server and Redis. Runner and viewers in this process.";
        return List.of(
                new Figure(
                        name(),
                        "send → SSE viewer, %,d/s: p50".formatted(perSecond),
                        Unit.MILLISECONDS,
                        middle.ours(),
                        middle.rival(),
                        middle.ratio(),
                        List.of(Goal.atMost(4)),
                        how),
                new Figure(
                        name(),
                        "send → SSE viewer, %,d/s: p99".formatted(perSecond),
                        Unit.MILLISECONDS,
                        tail.ours(),
                        tail.rival(),
                        tail.ratio(),
                        List.of(Goal.atMost(20)),
                        how));
    }

    private static Histogram turn(Design design, int perSecond, Duration time) throws Exception {
        try (Audience audience = Audience.begin(design, "live", EXECUTIONS)) {
            return audience.watch(perSecond, time);
        }
    }

    private static double millis(Histogram micros, double percentile) {
        return micros.getValueAtPercentile(percentile) / 1000.0;
    }
}
