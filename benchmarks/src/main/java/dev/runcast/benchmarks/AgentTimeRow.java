package dev.runcast.benchmarks;

import dev.runcast.cli.LocalStackFile;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.Role;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What reporting costs an agent in time, also when nothing that it reports arrives. */
final class AgentTimeRow implements Row {
    private static final int MOST_UPDATES = 1_000;
    private static final Duration THINKS = Duration.ofMillis(2);
    private static final String WORDS = "and so the model goes on, ";

    @Override
    public String name() {
        return "agent";
    }

    @Override
    public String about() {
        return "an agent's run that waits on timers and reports, beside the same run without a reporter";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        StackProcess stack = bench.stack();
        int updates = Math.min(MOST_UPDATES, bench.scale().reporterCalls() / 20);
        // Connections are taken, and nothing on them is ever read or answered.
        try (ServerSocket hole = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            Duel reporting = Duel.fight(
                    bench,
                    "agent",
                    Unit.SECONDS,
                    () -> run(updates, null),
                    () -> run(updates, stack.address(LocalStackFile.INGEST_GRPC)));
            Duel blackholed = Duel.fight(
                    bench,
                    "agent, blackholed",
                    Unit.SECONDS,
                    () -> run(updates, null),
                    () -> run(updates, "127.0.0.1:" + hole.getLocalPort()));
            String how =
                    "%,d updates (pieces of a text), %d ms of waiting before each; the run with them ÷ the run without"
                            .formatted(updates, THINKS.toMillis());
            return List.of(
                    new Figure(
                            name(),
                            "agent's run: reporting ÷ not",
                            Unit.TIMES,
                            reporting.ratio(),
                            null,
                            null,
                            List.of(Goal.atMost(1.02)),
                            how + ", against the local stack in its own process."),
                    new Figure(
                            name(),
                            "agent's run: blackholed ÷ not",
                            Unit.TIMES,
                            blackholed.ratio(),
                            null,
                            null,
                            List.of(Goal.atMost(1.05)),
                            how + ", against a port that takes connections and never answers."));
        }
    }

    private static double run(int updates, @Nullable String ingest) throws InterruptedException {
        if (ingest == null) {
            return steps(updates, null);
        }
        StatusReporter reporter = StatusReporter.open(ReporterConfig.of(ingest));
        try {
            ExecutionReporter execution =
                    reporter.execution("timed-" + Long.toString(System.nanoTime(), 36), System.currentTimeMillis());
            double seconds = steps(updates, execution);
            execution.completed();
            return seconds;
        } finally {
            reporter.close(Duration.ofSeconds(2));
        }
    }

    private static double steps(int updates, @Nullable ExecutionReporter execution) throws InterruptedException {
        long began = System.nanoTime();
        if (execution != null) {
            execution.messageStarted("m", Role.ROLE_AI);
        }
        for (int update = 0; update < updates; update++) {
            TimeUnit.NANOSECONDS.sleep(THINKS.toNanos());
            if (execution != null) {
                execution.appendText("m", WORDS);
            }
        }
        return (System.nanoTime() - began) / 1e9;
    }
}
