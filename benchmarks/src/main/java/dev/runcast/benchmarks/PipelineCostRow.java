package dev.runcast.benchmarks;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Whether an update costs the whole pipeline more the longer its execution is. */
final class PipelineCostRow implements Row {
    private static final int SHORT = 10;
    private static final int PER_SECOND = 1_000;

    @Override
    public String name() {
        return "cost";
    }

    @Override
    public String about() {
        return "the same through the whole pipeline, as processor time, beside the old direct design";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        int longRun = bench.scale().longRun();
        StackProcess stack = bench.stack();
        try (DirectProcess direct = DirectProcess.start(bench)) {
            int updates = bench.scale().costUpdates();
            // An update of a long document takes it a tenth of a second and more: a fifth of them tells as much.
            int fewer = Math.max(1, updates / 5);
            Runs ours = new Runs(bench, stack, longRun, updates);
            Runs theirs = new Runs(bench, direct, longRun, fewer);
            bench.say("cost: %d executions of %,d updates are stored in both", ours.ids.size(), longRun);
            ours.turn(false);
            theirs.turn(false);
            ours.turn(true);
            theirs.turn(true);
            Duel our = new Duel();
            Duel their = new Duel();
            for (int round = 1; round <= bench.scale().rounds(); round++) {
                double theirShort = theirs.turn(false);
                double ourShort = ours.turn(false);
                double theirLong = theirs.turn(true);
                double ourLong = ours.turn(true);
                our.add(ourLong, ourShort);
                their.add(theirLong, theirShort);
                bench.say(
                        "cost: round %d of %d: %,.0f → %,.0f µs an update; direct design %,.0f → %,.0f µs",
                        round, bench.scale().rounds(), ourShort, ourLong, theirShort, theirLong);
            }
            return List.of(new Figure(
                    name(),
                    "cost of update 10,000 ÷ 10: pipeline",
                    Unit.TIMES,
                    our.ratio(),
                    their.ratio(),
                    null,
                    List.of(Goal.atMost(1.2)),
                    ("processor time of all services and servers for one update, without what they use when idle: %,.0f"
                                    + " µs after 10 updates, %,.0f µs after %,d; the direct design %,.0f µs and %,.0f"
                                    + " µs. %d executions of each length with a viewer on each, %d updates each (%d in the"
                                    + " direct design) at 1,000/s, in turns, until all is stored. Both in their own processes.")
                            .formatted(
                                    our.rival().median(),
                                    our.ours().median(),
                                    longRun,
                                    their.rival().median(),
                                    their.ours().median(),
                                    bench.scale().costExecutions(),
                                    updates,
                                    fewer)));
        }
    }

    /** The executions of one design. */
    private static final class Runs {
        private final Workbench bench;
        private final Design design;
        private final List<String> ids;
        private final long epoch = System.currentTimeMillis();
        private final int updates;
        private final double idle;
        private long reported;
        private int turns;

        /** @param updates to each execution in a turn */
        Runs(Workbench bench, Design design, int longRun, int updates) throws Exception {
            this.bench = bench;
            this.design = design;
            this.updates = updates;
            this.ids = names("long");
            Preload.run(design, ids, epoch, longRun);
            this.reported = longRun;
            Thread.sleep(design.settling().toMillis());
            this.idle = idle();
        }

        /** Processor time used while nothing happens: a part of one processor. */
        private double idle() throws InterruptedException {
            Duration before = design.processorTime();
            long began = System.nanoTime();
            Thread.sleep(2_000);
            return (double) design.processorTime().minus(before).toNanos() / (System.nanoTime() - began);
        }

        /** Microseconds of processor time for an update. */
        double turn(boolean onLong) throws Exception {
            List<String> measured = onLong ? ids : names("short" + turns++);
            long begin = onLong ? reported : SHORT;
            if (!onLong) {
                Preload.run(design, measured, epoch, SHORT);
            }
            try (Audience audience = new Audience(design, measured, epoch, begin)) {
                Thread.sleep(design.settling().toMillis() / 2);
                Duration before = design.processorTime();
                long began = System.nanoTime();
                audience.watch(PER_SECOND, 1, updates);
                Thread.sleep(design.settling().toMillis());
                double nanos = design.processorTime().minus(before).toNanos() - idle * (System.nanoTime() - began);
                Preload.awaitStored(design, measured, begin + updates);
                if (onLong) {
                    reported += updates;
                }
                return nanos / 1000 / ((double) updates * measured.size());
            }
        }

        private List<String> names(String prefix) {
            String run = Long.toString(System.nanoTime(), 36);
            List<String> names = new ArrayList<>();
            for (int i = 0; i < bench.scale().costExecutions(); i++) {
                names.add(prefix + "-" + run + "-" + i);
            }
            return names;
        }
    }
}
