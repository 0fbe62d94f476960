package dev.runcast.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code runcast bench}. */
@Command(
        name = "bench",
        description = "Measure the figures that the README states, each beside its rival on the same machine.",
        footer = {
            "",
            "Exit code 0: everything was measured. 1: a row could not be measured. 2: with --strict, a goal was missed.",
            "Progress goes to standard error, the table to standard output. docs/benchmarks.md says how to read it."
        },
        mixinStandardHelpOptions = true)
final class BenchCommand implements Callable<Integer> {
    static final int NOT_MEASURED = 1;
    static final int GOAL_MISSED = 2;

    @Option(names = "--quick", description = "Some 8 minutes: fewer and shorter rounds.")
    private boolean quick;

    @Option(
            names = "--only",
            paramLabel = "ROW",
            split = ",",
            description = "Only these: core-cost, ingest, merge, rebuild, latency, cost, reporter,"
                    + " agent, workflow, stack.")
    private List<String> only = List.of();

    @Option(names = "--json", paramLabel = "FILE", description = "Write the figures there too.")
    @Nullable
    private Path json;

    @Option(names = "--strict", description = "End with 2 when a goal is missed.")
    private boolean strict;

    @Option(
            names = "--endurance",
            paramLabel = "MINUTES",
            arity = "0..1",
            fallbackValue = "30",
            description = "Instead: 2,000 updates/s for so long (default: 30), and whether anything grows.")
    @Nullable
    private Integer endurance;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        List<Row> rows = rows();
        List<String> stackOptions =
                List.of(System.getProperty("runcast.stack.options", "-Xmx448m").split(" "));
        Scale scale = quick ? Scale.QUICK : Scale.FULL;
        if (endurance != null) {
            scale = scale.patient(Duration.ofMinutes(endurance + 5L));
        }
        Report report;
        PrintStream progress = System.err;
        try (Workbench bench = new Workbench(scale, progress, stackOptions)) {
            report = Benchmarks.run(rows, bench);
        }
        PrintWriter out = spec.commandLine().getOut();
        out.print(ReportTable.of(report));
        out.flush();
        if (json != null) {
            Files.writeString(json, json(report), StandardCharsets.UTF_8);
        }
        if (!report.complete()) {
            return NOT_MEASURED;
        }
        return strict && !report.meetsAllGoals() ? GOAL_MISSED : 0;
    }

    private List<Row> rows() {
        if (endurance != null) {
            if (endurance < 3) {
                throw new ParameterException(
                        spec.commandLine(), "--endurance: " + endurance + " (expected: 3 minutes or more)");
            }
            return List.of(new EnduranceRow(endurance));
        }
        for (String name : only) {
            if (Benchmarks.ROWS.stream().noneMatch(row -> row.name().equals(name))) {
                throw new ParameterException(
                        spec.commandLine(),
                        "--only: " + name + " (expected: "
                                + Benchmarks.ROWS.stream().map(Row::name).collect(Collectors.joining(", ")) + ")");
            }
        }
        return Benchmarks.ROWS.stream()
                .filter(row -> only.isEmpty() || only.contains(row.name()))
                .toList();
    }

    /** The report as JSON: the records as they are, times as ISO 8601. */
    static String json(Report report) {
        return JsonMapper.builder()
                        .enable(SerializationFeature.INDENT_OUTPUT)
                        .build()
                        .writeValueAsString(report)
                + "\n";
    }
}
