package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Phase;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the agent notices of being reported: next to nothing, whatever becomes of the pipeline. */
@Timeout(60)
class AgentThreadTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final StreamKey RUN = new StreamKey("run-1", "", EPOCH);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final long MEMORY = 1024 * 1024;

    @Test
    void withThePipelineDownMemoryStaysBoundedAndTheFinalStatusGetsThroughWhenItIsBack() {
        try (FakeIngest ingest = new FakeIngest()) {
            ingest.stop();
            ReporterConfig config = ReporterConfig.of(ingest.target())
                    .withMemoryBytes(MEMORY)
                    .withBackoff(Duration.ofMillis(5), Duration.ofMillis(50));
            try (StatusReporter reporter = StatusReporter.open(config)) {
                ExecutionReporter run = reporter.execution("run-1", EPOCH);
                long most = 0;
                for (int i = 0; i < 50_000; i++) {
                    run.message("m" + i, Role.ROLE_AI, "x".repeat(300));
                    most = Math.max(most, reporter.stats().waitingBytes());
                }
                run.completed();
                assertThat(most).isLessThan(MEMORY + 64 * 1024);
                ingest.restart();
                assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            }
            List<Update> log = ingest.log.updates(RUN);
            long omitted =
                    log.stream().mapToLong(each -> each.getOmitted().getCount()).sum();
            assertThat(log.stream().filter(Update::hasEntryUpserted).count() + omitted)
                    .isEqualTo(50_000);
            assertThat(log.get(log.size() - 1).getPhaseChanged().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        }
    }

    @Test
    void aCallReturnsAtOnceAlsoWhenNobodyListens() {
        try (FakeIngest ingest = new FakeIngest()) {
            ingest.stop();
            try (StatusReporter reporter = StatusReporter.open(ReporterConfig.of(ingest.target()))) {
                ExecutionReporter run = reporter.execution("run-1", EPOCH);
                run.messageStarted("m", Role.ROLE_AI);
                long[] nanos = new long[20_000];
                for (int i = 0; i < nanos.length; i++) {
                    long before = System.nanoTime();
                    run.appendText("m", "some words of a model ");
                    nanos[i] = System.nanoTime() - before;
                }
                Arrays.sort(nanos);
                // A machine that is busy elsewhere stretches the tail, not the middle; a call that did any I/O would
                // stretch both.
                assertThat(nanos[nanos.length / 2]).isLessThan(TimeUnit.MICROSECONDS.toNanos(100));
                assertThat(nanos[nanos.length * 99 / 100]).isLessThan(TimeUnit.MILLISECONDS.toNanos(5));
                reporter.close(Duration.ZERO);
            }
        }
    }

    @Test
    void aTextCutAnywhereEvenInsideACharacterArrivesAsItWas() {
        long seed = Long.getLong("runcast.seed", 20260508L);
        Random random = new Random(seed);
        String[] characters = {"a", "é", "日", "🙂", "👩‍🚀", "e\u0301", "\u200f", "\n", "\u0000"};
        try (FakeIngest ingest = new FakeIngest();
                StatusReporter reporter = StatusReporter.open(ReporterConfig.of(ingest.target()))) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.messageStarted("m", Role.ROLE_AI);
            StringBuilder whole = new StringBuilder();
            for (int i = 0; i < 3_000; i++) {
                whole.append(characters[random.nextInt(characters.length)]);
            }
            for (int from = 0; from < whole.length(); ) {
                // In UTF-16 units, so that pairs are torn apart too.
                int to = Math.min(whole.length(), from + 1 + random.nextInt(7));
                run.appendText("m", whole.substring(from, to));
                from = to;
            }
            run.messageCompleted("m");
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.text(RUN, "m", TextField.TEXT_FIELD_TEXT))
                    .as("seed %d; again with -Dtest=AgentThreadTest -Druncast.seed=%d", seed, seed)
                    .isEqualTo(whole.toString());
            assertThat(reporter.stats().replacedSurrogates()).isZero();
        }
    }

    @Test
    void aLoneSurrogateIsReplacedAndCounted() {
        try (FakeIngest ingest = new FakeIngest();
                StatusReporter reporter = StatusReporter.open(ReporterConfig.of(ingest.target()))) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.message("m", Role.ROLE_AI, "before \ud83d after");
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.text(RUN, "m", TextField.TEXT_FIELD_TEXT)).isEqualTo("before \ufffd after");
            assertThat(reporter.stats().replacedSurrogates()).isEqualTo(1);
        }
    }
}
