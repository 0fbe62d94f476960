package dev.runcast.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.runcast.cli.LocalStackFile;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.Role;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/** What a report costs the agent's own thread. */
final class ReporterRow implements Row {
    private static final int CALLS_AT_ONCE = 10;
    private static final int CALLS_OF_MESSAGE = 50;
    private static final int QUARTERS = 4;
    private static final int MOST_WARM_UP_CALLS = 40_000;
    private static final String WORDS = "and so the model goes on, ";

    @Override
    public String name() {
        return "reporter";
    }

    @Override
    public String about() {
        return "a call of the reporter on the agent's thread, beside a call of the old direct design";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        StackProcess stack = bench.stack();
        try (DirectProcess direct = DirectProcess.start(bench)) {
            int calls = bench.scale().reporterCalls();
            blocking(direct, calls / 50);
            // Short messages: the calls that begin and end one are seldom otherwise, and would be measured uncompiled.
            int before = Math.min(2 * calls, MOST_WARM_UP_CALLS);
            reporting(stack, before, 3);
            Duel tail = new Duel();
            Duel growth = new Duel();
            for (int round = 1; round <= bench.scale().rounds(); round++) {
                double theirs = blocking(direct, calls / 20);
                Calls ours = reporting(stack, calls, CALLS_OF_MESSAGE);
                tail.add(ours.p99Micros, theirs);
                growth.add(ours.allocatedInLast, ours.allocatedInFirst);
                bench.say(
                        "reporter: round %d of %d: p99 %.1f µs (p50 %.2f, p99.9 %.0f), %,.0f bytes a call; direct design p99"
                                + " %,.0f µs",
                        round,
                        bench.scale().rounds(),
                        ours.p99Micros,
                        ours.p50Micros,
                        ours.p999Micros,
                        ours.allocatedInLast,
                        theirs);
            }
            String how =
                    "%,d calls (a message begun, 48 pieces of text, done), ten at once and a pause of a millisecond,"
                                    .formatted(calls)
                            + " after %,d calls of short messages".formatted(before)
                            + ", against the local stack in its own process";
            return List.of(
                    new Figure(
                            name(),
                            "reporter call on the agent's thread: p99",
                            Unit.MICROSECONDS,
                            tail.ours(),
                            tail.rival(),
                            tail.ratio(),
                            List.of(Goal.atMost(10)),
                            how + "; beside it a call of the direct design, which the agent waits for."),
                    new Figure(
                            name(),
                            "reporter call: allocation, end ÷ begin",
                            Unit.TIMES,
                            growth.ratio(),
                            null,
                            null,
                            List.of(Goal.atMost(1.1)),
                            how + "; bytes allocated by that thread in the last quarter of the calls ÷ in the first:"
                                    + " %,.0f bytes a call."
                                            .formatted(growth.ours().median())));
        }
    }

    private record Calls(
            double p50Micros, double p99Micros, double p999Micros, double allocatedInFirst, double allocatedInLast) {}

    private static Calls reporting(StackProcess stack, int calls, int callsOfMessage) throws InterruptedException {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        Histogram nanos = new Histogram(60_000_000_000L, 3);
        double[] allocated = new double[QUARTERS];
        String[] ids = new String[calls / callsOfMessage + 1];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = "m-" + i;
        }
        try (StatusReporter reporter =
                StatusReporter.open(ReporterConfig.of(stack.address(LocalStackFile.INGEST_GRPC)))) {
            ExecutionReporter execution =
                    reporter.execution("agent-" + Long.toString(System.nanoTime(), 36), System.currentTimeMillis());
            execution.running();
            int quarter = calls / QUARTERS;
            for (int part = 0; part < QUARTERS; part++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int call = part * quarter; call < (part + 1) * quarter; call++) {
                    long began = System.nanoTime();
                    call(execution, ids[call / callsOfMessage], call % callsOfMessage, callsOfMessage);
                    nanos.recordValue(System.nanoTime() - began);
                    if (call % CALLS_AT_ONCE == 0) {
                        LockSupport.parkNanos(1_000_000);
                    }
                }
                allocated[part] = (double) (threads.getCurrentThreadAllocatedBytes() - before) / quarter;
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
            }
            execution.completed();
            if (!reporter.flush(Duration.ofSeconds(20)).complete()) {
                throw new IllegalStateException("the reporter could not send everything within 20 s");
            }
        }
        return new Calls(
                nanos.getValueAtPercentile(50) / 1000.0,
                nanos.getValueAtPercentile(99) / 1000.0,
                nanos.getValueAtPercentile(99.9) / 1000.0,
                allocated[0],
                allocated[QUARTERS - 1]);
    }

    private static void call(ExecutionReporter execution, String id, int step, int steps) {
        if (step == 0) {
            execution.messageStarted(id, Role.ROLE_AI);
        } else if (step == steps - 1) {
            execution.messageCompleted(id);
        } else {
            execution.appendText(id, WORDS);
        }
    }

    private static double blocking(DirectProcess direct, int calls) {
        Histogram nanos = new Histogram(60_000_000_000L, 3);
        String id = "agent-" + Long.toString(System.nanoTime(), 36);
        for (int call = 1; call <= calls; call++) {
            var batch = Workload.batch(id, 1, call, 1, 0);
            long began = System.nanoTime();
            direct.reportAndWait(batch);
            nanos.recordValue(System.nanoTime() - began);
        }
        return nanos.getValueAtPercentile(99) / 1000.0;
    }
}
