package dev.runcast.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** All rows, and the run through some of them. */
final class Benchmarks {
    /** In the order of the table; what a process of its own is needed for comes last, and its memory at the very end. */
    static final List<Row> ROWS = List.of(
            new CoreCostRow(),
            new IngestRow(),
            new MergeRow(),
            new RebuildRow(),
            new LatencyRow(),
            new PipelineCostRow(),
            new ReporterRow(),
            new AgentTimeRow(),
            new WorkflowRow(),
            new StackRow());

    private Benchmarks() {}

    /** Measures one row after the other. What cannot be measured, or not in time, is a failure in the report. */
    static Report run(List<Row> rows, Workbench bench) {
        long began = System.nanoTime();
        List<Figure> figures = new ArrayList<>();
        List<Report.Failure> failures = new ArrayList<>();
        for (Row row : rows) {
            bench.say("%s: %s", row.name(), row.about());
            try {
                figures.addAll(inTime(row, bench));
            } catch (InterruptedException e) {
                failures.add(new Report.Failure(row.name(), "interrupted"));
                Thread.currentThread().interrupt();
                break;
            } catch (ExecutionException e) {
                Throwable cause = Objects.requireNonNullElse(e.getCause(), e);
                failures.add(new Report.Failure(row.name(), cause.toString()));
                bench.say("%s: not measured: %s", row.name(), cause);
                if (System.getenv("RUNCAST_DEBUG") != null) {
                    cause.printStackTrace();
                }
            } catch (TimeoutException e) {
                String reason = "not done within " + bench.scale().patience().toSeconds() + " s";
                failures.add(new Report.Failure(row.name(), reason));
                bench.say("%s: not measured: %s", row.name(), reason);
            }
        }
        return new Report(Machine.here(), bench.scale(), (System.nanoTime() - began) / 1e9, figures, failures);
    }

    private static List<Figure> inTime(Row row, Workbench bench)
            throws InterruptedException, ExecutionException, TimeoutException {
        ExecutorService thread = Executors.newSingleThreadExecutor(task -> {
            Thread daemon = new Thread(task, "bench-" + row.name());
            daemon.setDaemon(true);
            return daemon;
        });
        try {
            Future<List<Figure>> figures = thread.submit(() -> row.measure(bench));
            try {
                return figures.get(bench.scale().patience().toMillis(), TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                figures.cancel(true);
                throw e;
            }
        } finally {
            thread.shutdownNow();
            // The next row must not share the machine with what is left of this one.
            thread.awaitTermination(30, TimeUnit.SECONDS);
        }
    }
}
