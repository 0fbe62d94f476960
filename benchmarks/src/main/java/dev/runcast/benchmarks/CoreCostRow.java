package dev.runcast.benchmarks;

import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.merge.Outcome;
import dev.runcast.v1.UpdateBatch;
import java.util.ArrayList;
import java.util.List;

/** Whether the merge itself takes longer for an update the longer the execution is. */
final class CoreCostRow implements Row {
    private static final int SHORT = 10;
    /** Executions that are measured together: each gets the next turn of 20 updates, one at a time. */
    private static final int EXECUTIONS = 50;

    private static final int TURNS = 4;
    private static final int WARM_UP = 6;
    private static final long EPOCH = System.currentTimeMillis();

    @Override
    public String name() {
        return "core-cost";
    }

    @Override
    public String about() {
        return "cost of update 10,000 of an execution, divided by that of update 10, in the merge alone";
    }

    @Override
    public List<Figure> measure(Workbench bench) {
        int longRun = bench.scale().longRun();
        MemoryState preload = new MemoryState();
        for (int i = 0; i < EXECUTIONS; i++) {
            for (long next = 1; next <= longRun; next += Workload.TURN) {
                apply(preload, Workload.stamped(Workload.batch("long-" + i, EPOCH, next, Workload.TURN, i)));
            }
        }
        long longAt = (longRun + Workload.TURN - 1L) / Workload.TURN * Workload.TURN;
        Duel duel = new Duel();
        for (int round = -WARM_UP; round < bench.scale().rounds() * 3; round++) {
            int unique = round + WARM_UP;
            for (int i = 0; i < EXECUTIONS; i++) {
                apply(preload, Workload.stamped(Workload.batch("short-" + unique + "-" + i, EPOCH, 1, SHORT, i)));
            }
            double ofShort = nanos(preload, "short-" + unique + "-", SHORT);
            double ofLong = nanos(preload, "long-", longAt + (long) unique * TURNS * Workload.TURN);
            if (round >= 0) {
                duel.add(ofLong, ofShort);
            }
        }
        bench.say(
                "core-cost: %,.0f ns at update 10, %,.0f ns at update %,d",
                duel.rival().median(), duel.ours().median(), longRun);
        return List.of(new Figure(
                name(),
                "cost of update 10,000 ÷ 10: merge-core",
                Unit.TIMES,
                duel.ratio(),
                null,
                null,
                List.of(Goal.atMost(1.1)),
                "the merge of one update (without writing), %,.0f ns at update 10 and %,.0f ns at update %,d; %d executions"
                                .formatted(duel.rival().median(), duel.ours().median(), longRun, EXECUTIONS)
                        + " of each length in one store in memory, 80 updates each, in turns. In this process."));
    }

    private static double nanos(MemoryState state, String prefix, long after) {
        long nanos = 0;
        int updates = 0;
        for (long next = after + 1; next <= after + TURNS * Workload.TURN; next++) {
            List<UpdateBatch> batches = new ArrayList<>(EXECUTIONS);
            List<MergeResult> results = new ArrayList<>(EXECUTIONS);
            for (int i = 0; i < EXECUTIONS; i++) {
                batches.add(Workload.stamped(Workload.batch(prefix + i, EPOCH, next, 1, i)));
            }
            long began = System.nanoTime();
            for (UpdateBatch batch : batches) {
                results.add(Merge.apply(state, batch));
            }
            nanos += System.nanoTime() - began;
            for (MergeResult result : results) {
                updates += requireApplied(result);
                state.write(result.writes());
            }
        }
        return (double) nanos / updates;
    }

    private static void apply(MemoryState state, UpdateBatch batch) {
        MergeResult result = Merge.apply(state, batch);
        requireApplied(result);
        state.write(result.writes());
    }

    private static int requireApplied(MergeResult result) {
        for (Outcome outcome : result.outcomes()) {
            if (!(outcome instanceof Outcome.Applied)) {
                throw new IllegalStateException("outcome: " + outcome + " (expected: applied)");
            }
        }
        return result.outcomes().size();
    }
}
