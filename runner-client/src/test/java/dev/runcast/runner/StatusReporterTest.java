package dev.runcast.runner;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Role;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The whole reporter against a door over real gRPC. */
@Timeout(60)
class StatusReporterTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final StreamKey RUN = new StreamKey("run-1", "", EPOCH);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final FakeIngest ingest = new FakeIngest();

    @AfterEach
    void stopTheDoor() {
        ingest.close();
    }

    @Test
    void aRunIsInTheLogAsItWasReported() {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.declared(ExecutionSpec.newBuilder().setAgent("planner").build());
            run.attemptStarted("host-1", "1.0");
            run.running();
            run.messageStarted("m1", Role.ROLE_AI);
            run.appendText("m1", "Hello ");
            run.appendText("m1", "world");
            run.messageCompleted("m1");
            run.toolCallStarted("t1", "search", "{\"q\":\"a\"}");
            run.toolCallCompleted("t1", "found");
            run.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.text(RUN, "m1", TextField.TEXT_FIELD_TEXT)).isEqualTo("Hello world");
            assertThat(ingest.log.text(RUN, "t1", TextField.TEXT_FIELD_RESULT)).isEqualTo("found");
            assertThat(ingest.log.moments(RUN).stream()
                            .map(each -> each.update().getChangeCase()))
                    .containsExactly(
                            Update.ChangeCase.DECLARED,
                            Update.ChangeCase.ATTEMPT_STARTED,
                            Update.ChangeCase.PHASE_CHANGED,
                            Update.ChangeCase.ENTRY_UPSERTED,
                            Update.ChangeCase.ENTRY_UPSERTED,
                            Update.ChangeCase.ENTRY_UPSERTED,
                            Update.ChangeCase.ENTRY_UPSERTED,
                            Update.ChangeCase.PHASE_CHANGED);
            ReporterStats stats = reporter.stats();
            assertThat(stats.reported()).isEqualTo(10);
            assertThat(stats.acked()).isEqualTo(stats.sequenced());
            assertThat(stats.waitingBytes()).isZero();
        }
    }

    @Test
    void manyExecutionsShareOneStream() {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            for (int i = 0; i < 50; i++) {
                ExecutionReporter run = reporter.execution("run-" + i, EPOCH);
                run.running();
                run.message("m1", Role.ROLE_HUMAN, "text of " + i);
                run.completed();
            }
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            for (int i = 0; i < 50; i++) {
                assertThat(ingest.log.updates(new StreamKey("run-" + i, "", EPOCH)))
                        .hasSize(3);
            }
            assertThat(ingest.streams()).isEqualTo(1);
        }
    }

    @Test
    void aFlushCoversEverythingReportedBeforeItByWhomeverBeside() throws Exception {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            List<CompletableFuture<Void>> agents = new ArrayList<>();
            for (int agent = 0; agent < 4; agent++) {
                int number = agent;
                agents.add(CompletableFuture.runAsync(() -> {
                    for (int round = 0; round < 50; round++) {
                        ExecutionReporter run = reporter.execution("run-" + round, EPOCH);
                        String id = "m" + number;
                        run.messageStarted(id, Role.ROLE_AI);
                        run.appendText(id, "words");
                        assertThat(reporter.flush(PATIENCE).complete()).isTrue();
                        StreamKey key = new StreamKey("run-" + round, "", EPOCH);
                        assertThat(ingest.log.text(key, id, TextField.TEXT_FIELD_TEXT))
                                .isEqualTo("words");
                    }
                }));
            }
            for (CompletableFuture<Void> agent : agents) {
                agent.get(60, SECONDS);
            }
        }
    }

    @Test
    void aDoorThatComesLateGetsEverything() {
        ingest.stop();
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.running();
            run.message("m1", Role.ROLE_AI, "said while nobody listened");
            run.completed();
            FlushResult result = reporter.flush(Duration.ofMillis(200));
            assertThat(result.complete()).isFalse();
            assertThat(result.missing()).containsExactly(new FlushResult.Missing("run-1", "", EPOCH, 3, true, false));
            ingest.restart();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.updates(RUN)).hasSize(3);
        }
    }

    @Test
    void aStreamThatBreaksInTheMiddleOfABatchLosesAndDoublesNothing() {
        Random random = new Random(7);
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            StringBuilder said = new StringBuilder();
            run.messageStarted("m1", Role.ROLE_AI);
            for (int i = 0; i < 2_000; i++) {
                if (i % 100 == 0) {
                    ingest.breakAfterUpdates.set(random.nextInt(20));
                    reporter.flush(Duration.ofMillis(20));
                }
                String word = "word " + i + " 語🙂 ";
                said.append(word);
                run.appendText("m1", word);
                if (i % 10 == 0) {
                    run.progress(i / 20, "");
                }
            }
            run.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.text(RUN, "m1", TextField.TEXT_FIELD_TEXT)).isEqualTo(said.toString());
            assertThat(ingest.log.moments(RUN)).hasSize(202);
            assertThat(reporter.stats().disconnects()).isPositive();
            assertThat(reporter.stats().resent()).isPositive();
        }
    }

    @Test
    void aRefusedUpdateIsReplacedByAnOmissionUnderItsSequence() {
        ingest.invalid = update -> update.getExecutionPatched().containsLabels("bad label");
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.running();
            run.patch(ExecutionPatched.newBuilder().putLabels("bad label", "x").build());
            run.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            List<Update> log = ingest.log.updates(RUN);
            assertThat(log).hasSize(3);
            assertThat(log.get(1).getOmitted().getCount()).isEqualTo(1);
            assertThat(log.get(1).getOmitted().getReason()).isEqualTo("refused: INVALID refused by the fake");
            assertThat(reporter.stats().substituted()).isEqualTo(1);
            assertThat(reporter.stats().omitted()).isEqualTo(1);
        }
    }

    @Test
    void aRefusedFinalStatusIsSentBare() {
        ingest.invalid = update -> update.getPhaseChanged().hasFailure();
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.running();
            run.failed("TOOL_ERROR", "it broke", true);
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.updates(RUN).get(1).getPhaseChanged().getPhase())
                    .isEqualTo(Phase.PHASE_FAILED);
            assertThat(reporter.stats().omitted()).isZero();
        }
    }

    @Test
    void aDrainingDoorIsLeftAndFoundAgain() {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.running();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            ingest.drain();
            run.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.updates(RUN)).hasSize(2);
            assertThat(reporter.stats().connections()).isEqualTo(2);
        }
    }

    @Test
    void aDoorThatNeverAcksIsGivenUpAndTriedAgain() {
        ingest.acks = false;
        ReporterConfig config = config().withAttemptTimeouts(Duration.ofSeconds(2), Duration.ofMillis(200));
        try (StatusReporter reporter = StatusReporter.open(config)) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.completed();
            await().atMost(20, SECONDS).until(() -> reporter.stats().disconnects() >= 2);
            ingest.acks = true;
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.updates(RUN)).hasSize(1);
        }
    }

    @Test
    void aSlowReaderHoldsBackTheSenderNotTheAgent() {
        ingest.reads = false;
        try (StatusReporter reporter = StatusReporter.open(config().withMemoryBytes(2 * 1024 * 1024))) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            for (int i = 0; i < 20_000; i++) {
                run.message("m" + i, Role.ROLE_AI, "x".repeat(200));
            }
            run.completed();
            assertThat(reporter.stats().waitingBytes()).isLessThan(2 * 1024 * 1024 + 64 * 1024);
            ingest.readOn();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            List<Update> log = ingest.log.updates(RUN);
            long omitted =
                    log.stream().mapToLong(each -> each.getOmitted().getCount()).sum();
            long kept = log.stream().filter(Update::hasEntryUpserted).count();
            assertThat(omitted).isPositive();
            assertThat(kept + omitted).isEqualTo(20_000);
            assertThat(log.get(log.size() - 1).getPhaseChanged().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        }
    }

    @Test
    void anAttachWaitsForItsStanding() {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            CompletableFuture<AttemptStanding> standing =
                    reporter.attach("run-1", EPOCH).toCompletableFuture();
            await().atMost(20, SECONDS).until(() -> ingest.attaches.size() == 1);
            assertThat(standing).isNotDone();
            ingest.signal(level().setStanding(Standing.STANDING_CLOSED)
                    .setOutcome(Phase.PHASE_COMPLETED)
                    .build());
            assertThat(standing).succeedsWithin(PATIENCE).isEqualTo(new AttemptStanding.Closed(Phase.PHASE_COMPLETED));
            assertThat(ingest.log.updates(RUN)).singleElement().matches(Update::hasAttemptStarted);
        }
    }

    @Test
    void signalsAreHeardOnceForEachChangeOfLevel() {
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.listen(new Recorder(heard));
            run.running();
            await().atMost(20, SECONDS).until(() -> !ingest.log.updates(RUN).isEmpty());
            Signal adopted = level().setStanding(Standing.STANDING_ADOPTED).build();
            Signal held = adopted.toBuilder().setCancel(true).setPause(true).build();
            ingest.signal(adopted);
            ingest.signal(adopted);
            ingest.signal(held);
            ingest.signal(held);
            ingest.signal(held.toBuilder().setPause(false).build());
            ingest.signal(held.toBuilder()
                    .setPause(false)
                    .setSlowDown(com.google.protobuf.Duration.newBuilder().setSeconds(1))
                    .build());
            ingest.signal(level().setStanding(Standing.STANDING_CLOSED)
                    .setOutcome(Phase.PHASE_CANCELLED)
                    .build());
            await().atMost(20, SECONDS).until(() -> heard.contains("closed PHASE_CANCELLED"));
            assertThat(heard)
                    .containsExactly(
                            "adopted",
                            "cancel",
                            "paused",
                            "resumed",
                            "slow down PT1S",
                            "closed PHASE_CANCELLED",
                            "slow down PT0S");
        }
    }

    @Test
    void aSlowOrThrowingCallbackDelaysNobody() throws InterruptedException {
        CountDownLatch release = new CountDownLatch(1);
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter stuck = reporter.execution("run-1", EPOCH);
            ExecutionReporter other = reporter.execution("run-2", EPOCH);
            stuck.listen(new SignalListener() {
                @Override
                public void adopted() {
                    try {
                        release.await();
                    } catch (InterruptedException interrupted) {
                        Thread.currentThread().interrupt();
                    }
                    throw new IllegalStateException("a stranger's bug");
                }
            });
            stuck.listen(new Recorder(heard));
            other.listen(new Recorder(heard));
            stuck.running();
            other.running();
            await().atMost(20, SECONDS).until(() -> ingest.attaches.size() == 2);
            ingest.signal(level().setStanding(Standing.STANDING_ADOPTED).build());
            ingest.signal(level().setExecutionId("run-2").setCancel(true).build());
            await().atMost(20, SECONDS).until(() -> heard.contains("cancel"));
            stuck.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            release.countDown();
            await().atMost(20, SECONDS).until(() -> heard.contains("adopted"));
            assertThat(reporter.stats().callbackFailures()).isEqualTo(1);
        }
    }

    @Test
    void aFencedAttemptIsSilent() {
        Queue<String> heard = new ConcurrentLinkedQueue<>();
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter zombie = reporter.execution("run-1", EPOCH);
            zombie.listen(new Recorder(heard));
            zombie.running();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            ingest.signal(level().setStanding(Standing.STANDING_FENCED).build());
            await().atMost(20, SECONDS).until(() -> heard.contains("fenced"));
            zombie.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(ingest.log.updates(RUN)).hasSize(1);
            assertThat(reporter.stats().ignored()).isEqualTo(1);
        }
    }

    @Test
    void silenceIsFilledWithHeartbeatsUntilTheEnd() {
        ReporterConfig config = config().withHeartbeatInterval(Duration.ofMillis(100));
        try (StatusReporter reporter = StatusReporter.open(config)) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.running();
            await().atMost(20, SECONDS).until(() -> ingest.heartbeats.size() >= 3);
            assertThat(ingest.heartbeats.get(0).getExecutionId()).isEqualTo("run-1");
            assertThat(ingest.heartbeats.get(0).getEpoch()).isEqualTo(EPOCH);
            run.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            int then = ingest.heartbeats.size();
            await().during(400, MILLISECONDS).atMost(20, SECONDS).until(() -> ingest.heartbeats.size() == then);
        }
    }

    @Test
    void refusedCredentialsAreToldAndANewTokenIsAsked() {
        List<String> refusals = new ArrayList<>();
        Queue<String> tokens = new ConcurrentLinkedQueue<>(List.of("old", "new"));
        ingest.failures.add(Status.UNAUTHENTICATED.withDescription("unknown token"));
        ReporterListener listener = new ReporterListener() {
            @Override
            public void credentialsRefused(String reason) {
                refusals.add(reason);
            }
        };
        ReporterConfig config =
                config().withToken(tokens::poll).withBackoff(Duration.ofMillis(1), Duration.ofMillis(50));
        try (StatusReporter reporter = StatusReporter.open(config, listener)) {
            reporter.execution("run-1", EPOCH).completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(refusals).containsExactly("UNAUTHENTICATED: unknown token");
            assertThat(ingest.authorizations).containsExactly("Bearer old", "Bearer new");
        }
    }

    @Test
    void aTargetThatCannotBeParsedCostsTheAgentNothing() {
        try (StatusReporter reporter = StatusReporter.open(
                ReporterConfig.of("dns:// not a target").withDeadlines(Duration.ZERO, Duration.ZERO))) {
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.completed();
            assertThat(reporter.flush(Duration.ofMillis(50)).missing())
                    .containsExactly(new FlushResult.Missing("run-1", "", EPOCH, 1, true, false));
            assertThat(reporter.stats().connected()).isFalse();
        }
    }

    @Test
    void reportsAfterTheCloseAreOnlyCounted() {
        StatusReporter reporter = StatusReporter.open(config());
        ExecutionReporter run = reporter.execution("run-1", EPOCH);
        run.running();
        assertThat(reporter.close(PATIENCE).complete()).isTrue();
        run.completed();
        run.appendText("m1", "late");
        assertThat(reporter.stats().ignored()).isEqualTo(2);
        assertThat(ingest.log.updates(RUN)).hasSize(1);
        assertThat(reporter.close(PATIENCE).complete()).isTrue();
        await().atMost(20, SECONDS).until(() -> ingest.streams() == 0);
    }

    @Test
    void aCloseSaysWhatIsMissing() {
        ingest.acks = false;
        StatusReporter reporter = StatusReporter.open(config());
        reporter.execution("run-1", EPOCH).running();
        reporter.execution("run-2", EPOCH).completed();
        FlushResult result = reporter.close(Duration.ofMillis(100));
        assertThat(result.missing())
                .containsExactlyInAnyOrder(
                        new FlushResult.Missing("run-1", "", EPOCH, 1, false, false),
                        new FlushResult.Missing("run-2", "", EPOCH, 1, true, false));
        assertThat(reporter.close(PATIENCE).missing()).hasSize(2);
    }

    @Test
    void invalidNamesAndNullsThrowNothing() {
        try (StatusReporter reporter = StatusReporter.open(config())) {
            ExecutionReporter invalid = reporter.execution("not an id", EPOCH);
            invalid.completed();
            reporter.execution("run-1", 0).completed();
            ExecutionReporter run = reporter.execution("run-1", EPOCH);
            run.message("m1", Role.ROLE_AI, null);
            run.appendText(null, "text");
            run.appendText("not an id", "text");
            run.completed();
            assertThat(reporter.flush(PATIENCE).complete()).isTrue();
            assertThat(reporter.stats().ignored()).isEqualTo(2);
            assertThat(reporter.stats().failedCalls()).isEqualTo(2);
            List<Update> log = ingest.log.updates(RUN);
            assertThat(log.get(0).getOmitted().getCount()).isEqualTo(1);
            assertThat(log.get(1).getPhaseChanged().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        }
    }

    private ReporterConfig config() {
        return ReporterConfig.of(ingest.target())
                .withCadence(Duration.ofMillis(10), Duration.ofMillis(50))
                .withBackoff(Duration.ofMillis(5), Duration.ofMillis(200));
    }

    private static Signal.Builder level() {
        return Signal.newBuilder()
                .setExecutionId("run-1")
                .setWriter(RUN.writer())
                .setEpoch(EPOCH);
    }

    private record Recorder(Queue<String> heard) implements SignalListener {
        @Override
        public void adopted() {
            heard.add("adopted");
        }

        @Override
        public void cancelRequested() {
            heard.add("cancel");
        }

        @Override
        public void paused() {
            heard.add("paused");
        }

        @Override
        public void resumed() {
            heard.add("resumed");
        }

        @Override
        public void fenced() {
            heard.add("fenced");
        }

        @Override
        public void closed(Phase outcome) {
            heard.add("closed " + outcome);
        }

        @Override
        public void slowDown(Duration interval) {
            heard.add("slow down " + interval);
        }
    }
}
