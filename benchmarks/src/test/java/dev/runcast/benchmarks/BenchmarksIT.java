package dev.runcast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every row really measures something, with real servers and processes, at a scale at which no figure means much. */
@Timeout(600)
class BenchmarksIT {
    private static final List<String> SMALL =
            List.of("-XX:+UseSerialGC", "-Xmx448m", "-XX:TieredStopAtLevel=1", "-Xshare:auto");

    @BeforeAll
    static void quiet() {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
    }

    @Test
    void everyRowMeasuresItselfAndItsRival() throws IOException {
        Report report;
        try (Workbench bench = new Workbench(Scale.TINY, System.err, SMALL)) {
            report = Benchmarks.run(Benchmarks.ROWS, bench);
        }

        assertThat(report.failures()).isEmpty();
        assertThat(report.figures().stream().map(Figure::row).collect(Collectors.toSet()))
                .containsExactlyInAnyOrderElementsOf(
                        Benchmarks.ROWS.stream().map(Row::name).toList());
        assertThat(report.figures()).allSatisfy(figure -> {
            assertThat(figure.ours().median()).as(figure.name()).isPositive();
            assertThat(figure.goals()).as(figure.name()).isNotEmpty();
            assertThat(figure.measured()).as(figure.name()).isNotBlank();
        });
        assertThat(report.figures().stream()
                        .filter(figure -> figure.rival() != null)
                        .map(Figure::row))
                .contains("ingest", "merge", "rebuild", "latency", "cost", "reporter");
        assertThat(ReportTable.of(report)).doesNotContain("not measured");
    }
}
