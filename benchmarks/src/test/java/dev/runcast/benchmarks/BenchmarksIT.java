package dev.runcast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every row really measures something, with real servers and processes, at a scale at which no figure means much. */
@Timeout(600)
class BenchmarksIT {
    private static final List<String> SMALL =
            List.of("-XX:+UseSerialGC", "-Xmx448m", "-XX:TieredStopAtLevel=1", "-Xshare:auto");

    private static final Set<String> WITH_THE_STACK =
            Set.of("latency", "cost", "reporter", "agent", "workflow", "stack");
    private static final Set<String> RIVALLED = Set.of("ingest", "merge", "rebuild", "latency", "cost", "reporter");

    @BeforeAll
    static void quiet() {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
    }

    /** The rows of the stack beside those of this process: at this scale most of a row is waiting for something to start. */
    @Execution(ExecutionMode.CONCURRENT)
    @ParameterizedTest(name = "with the stack: {0}")
    @ValueSource(booleans = {true, false})
    void everyRowMeasuresItselfAndItsRival(boolean withTheStack) throws IOException {
        List<Row> rows = Benchmarks.ROWS.stream()
                .filter(row -> WITH_THE_STACK.contains(row.name()) == withTheStack)
                .toList();
        Report report;
        PrintStream progress = System.err;
        try (Workbench bench = new Workbench(Scale.TINY, progress, SMALL)) {
            report = Benchmarks.run(rows, bench);
        }

        assertThat(report.failures()).isEmpty();
        assertThat(report.figures().stream().map(Figure::row).collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(
                        rows.stream().map(Row::name).toList());
        assertThat(report.figures()).allSatisfy(figure -> {
            assertThat(figure.ours().median()).as(figure.name()).isPositive();
            assertThat(!figure.goals().isEmpty() || figure.rival() != null)
                    .as("%s has a goal, or a rival at least", figure.name())
                    .isTrue();
            assertThat(figure.measured()).as(figure.name()).isNotBlank();
        });
        assertThat(report.figures().stream()
                        .filter(figure -> figure.rival() != null)
                        .map(Figure::row))
                .containsAll(
                        rows.stream().map(Row::name).filter(RIVALLED::contains).toList());
        assertThat(ReportTable.of(report)).doesNotContain("not measured");
    }
}
