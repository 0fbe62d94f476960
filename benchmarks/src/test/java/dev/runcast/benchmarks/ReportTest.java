package dev.runcast.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a run says about what it measured, and about what it could not. */
@Timeout(60)
class ReportTest {
    private static final Figure FAST = new Figure(
            "ingest",
            "ingest: acked updates/s, batches of 20",
            Unit.PER_SECOND,
            Spread.of(List.of(190_000.0, 210_000.0, 200_000.0)),
            Spread.of(220_000),
            Spread.of(List.of(0.91, 0.95, 0.88)),
            List.of(Goal.ratioAtLeast(0.9)),
            "batches of 20 and what else is said about them, long enough that it does not go on one line of the table");
    private static final Figure SLOW = new Figure(
            "latency",
            "send → SSE viewer, 1,000/s: p99",
            Unit.MILLISECONDS,
            Spread.of(31.25),
            null,
            null,
            List.of(Goal.atMost(20)),
            "how");

    private final ByteArrayOutputStream progress = new ByteArrayOutputStream();

    @Test
    void theTableHasTheFiguresWithTheirVerdictsAndFitsInAHundredColumns() {
        String table = ReportTable.of(report(List.of(FAST, SLOW), List.of()));

        assertThat(table.lines())
                .anySatisfy(
                        line -> assertThat(line).contains("200,000/s", "220,000/s", "0.91 (0.88–0.95)", "≥ 0.9× meets"))
                .anySatisfy(line -> assertThat(line).contains("31.3 ms", "≤ 20 ms misses"));
        assertThat(table.lines().filter(line -> !line.contains("cores")))
                .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
    }

    @Test
    void theJsonHasEachRoundsSpreadTheSettingsAndTheMachine() {
        JsonNode json = JsonMapper.shared().readTree(BenchCommand.json(report(List.of(FAST, SLOW), List.of())));

        JsonNode fast = json.get("figures").get(0);
        assertThat(fast.get("row").asString()).isEqualTo("ingest");
        assertThat(fast.get("unit").asString()).isEqualTo("PER_SECOND");
        assertThat(fast.get("ours").get("median").asDouble()).isEqualTo(200_000);
        assertThat(fast.get("ratio").get("least").asDouble()).isEqualTo(0.88);
        assertThat(fast.get("goals").get(0).get("bound").asDouble()).isEqualTo(0.9);
        assertThat(json.get("figures").get(1).get("rival").isNull()).isTrue();
        assertThat(json.get("machine").get("cores").asInt()).isPositive();
        assertThat(json.get("scale").get("name").asString()).isEqualTo("tiny");
        assertThat(json.get("failures").isEmpty()).isTrue();
    }

    @Test
    void aRowThatFailsIsSaidAndTheNextIsMeasured() throws IOException {
        try (Workbench bench = bench(Scale.TINY)) {
            Report report = Benchmarks.run(
                    List.of(
                            row("broken", () -> {
                                throw new IllegalStateException("no broker");
                            }),
                            row("whole", () -> List.of(FAST))),
                    bench);

            assertThat(report.complete()).isFalse();
            assertThat(report.figures()).containsExactly(FAST);
            assertThat(ReportTable.of(report)).contains("not measured: java.lang.IllegalStateException: no broker");
            assertThat(progress.toString(StandardCharsets.UTF_8)).contains("broken: not measured");
        }
    }

    @Test
    void aRowThatHangsIsGivenUp() throws IOException {
        try (Workbench bench = bench(Scale.TINY.patient(Duration.ofMillis(50)))) {
            Report report = Benchmarks.run(
                    List.of(row("hanging", () -> {
                        new CountDownLatch(1).await();
                        return List.of(FAST);
                    })),
                    bench);

            assertThat(report.failures()).singleElement().satisfies(failure -> assertThat(failure.reason())
                    .startsWith("not done within"));
        }
    }

    @Test
    void goalsAreHeldAgainstTheMedian() {
        assertThat(FAST.meetsItsGoals()).isTrue();
        assertThat(SLOW.meetsItsGoals()).isFalse();
        assertThat(report(List.of(FAST), List.of()).meetsAllGoals()).isTrue();
        assertThat(report(List.of(FAST, SLOW), List.of()).meetsAllGoals()).isFalse();
    }

    @Test
    void aSpreadOfEvenlyManyRoundsHasTheMiddleBetweenTwo() {
        assertThat(Spread.of(List.of(4.0, 1.0, 2.0, 8.0))).isEqualTo(new Spread(3, 1, 8));
        assertThatThrownBy(() -> Spread.of(List.of(Double.NaN)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("round: NaN (expected: a finite number)");
    }

    @Test
    void anUnknownRowIsRefusedWithThoseThereAre() {
        StringWriter err = new StringWriter();
        int code =
                new CommandLine(new BenchCommand()).setErr(new PrintWriter(err)).execute("--only", "ingest,speed");

        assertThat(code).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--only: speed (expected: core-cost, ingest, merge");
    }

    private Workbench bench(Scale scale) throws IOException {
        return new Workbench(scale, new PrintStream(progress, true, StandardCharsets.UTF_8), List.of());
    }

    private static Report report(List<Figure> figures, List<Report.Failure> failures) {
        return new Report(Machine.here(), Scale.TINY, 12, figures, failures);
    }

    private interface Measure {
        List<Figure> figures() throws Exception;
    }

    private static Row row(String name, Measure measure) {
        return new Row() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public String about() {
                return "a row of this test";
            }

            @Override
            public List<Figure> measure(Workbench bench) throws Exception {
                return measure.figures();
            }
        };
    }
}
