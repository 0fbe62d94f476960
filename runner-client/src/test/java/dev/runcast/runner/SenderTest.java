package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.runner.SimulatedIngest.Misfortunes;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** When the sender does what, in simulated time: the network takes up to 10 ms each way. */
class SenderTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final StreamKey RUN = new StreamKey("run-1", "", EPOCH);

    private final SimulatedIngest ingest = new SimulatedIngest(new Random(1), Misfortunes.NONE, any -> false);
    private final Simulation simulation = new Simulation(ReporterConfig.of("simulated"), ingest, new Random(2));
    private final ExecutionReporter run = simulation.execution("run-1", EPOCH);

    @Test
    void theFirstWordAndEveryDiscreteChangeGoAtOnceOtherTextOnItsCadence() {
        run.messageStarted("m1", Role.ROLE_AI);
        run.appendText("m1", "first ");
        simulation.run(Duration.ofMillis(50));
        assertThat(text()).isEqualTo("first ");
        run.appendText("m1", "second ");
        simulation.run(Duration.ofMillis(20));
        assertThat(text()).isEqualTo("first ");
        run.progress(50, "half");
        simulation.run(Duration.ofMillis(25));
        assertThat(text()).isEqualTo("first second ");
        run.appendText("m1", "third");
        simulation.run(Duration.ofMillis(120));
        assertThat(text()).isEqualTo("first second third");
    }

    @Test
    void manyWordsBetweenTwoBeatsAreOneAppend() {
        run.messageStarted("m1", Role.ROLE_AI);
        for (int i = 0; i < 1_000; i++) {
            run.appendText("m1", "word ");
            simulation.run(Duration.ofMillis(1));
        }
        assertThat(simulation.flush(Duration.ofSeconds(5)).complete()).isTrue();
        assertThat(text()).isEqualTo("word ".repeat(1_000));
        assertThat(ingest.log.updates(RUN).size()).isBetween(8, 14);
    }

    @Test
    void wordsWakeNobodyWhileOthersWaitForTheirBeat() {
        run.messageStarted("m1", Role.ROLE_AI);
        run.appendText("m1", "first ");
        simulation.run(Duration.ofMillis(50));
        int before = simulation.wakes();
        run.appendText("m1", "second ");
        assertThat(simulation.wakes()).isEqualTo(before + 1);
        simulation.run(Duration.ofMillis(1));
        before = simulation.wakes();
        for (int i = 1; i < Inbox.MANY; i++) {
            run.appendText("m1", "word ");
        }
        assertThat(simulation.wakes()).isEqualTo(before);
        // So many are joined before their time, since each by itself takes memory.
        run.appendText("m1", "word ");
        assertThat(simulation.wakes()).isEqualTo(before + 1);
        simulation.run(Duration.ofMillis(1));
        assertThat(run.outbox().inbox.isEmpty()).isTrue();
        run.appendText("m1", "last");
        simulation.run(Duration.ofMillis(120));
        assertThat(text()).isEqualTo("first second " + "word ".repeat(Inbox.MANY) + "last");
    }

    @Test
    void aFlushCoversWhatAnotherThreadHasNotToldOfYet() {
        // Another agent's thread has lost its core on the way to the mailbox.
        run.outbox().dirty.set(true);
        run.completed();
        assertThat(simulation.flush(Duration.ofSeconds(5)).complete()).isTrue();
        assertThat(ingest.log.updates(RUN)).hasSize(1);
    }

    @Test
    void aWriterAskedToSlowDownSaysTextNoMoreOften() {
        run.messageStarted("m1", Role.ROLE_AI);
        simulation.run(Duration.ofMillis(100));
        run.outbox()
                .level
                .apply(dev.runcast.v1.Signal.newBuilder()
                        .setSlowDown(com.google.protobuf.Duration.newBuilder().setSeconds(2))
                        .build());
        for (int i = 0; i < 100; i++) {
            run.appendText("m1", "word ");
            simulation.run(Duration.ofMillis(100));
        }
        assertThat(ingest.log.updates(RUN).size() - 1).isBetween(4, 6);
    }

    @Test
    void silenceIsFilledWithHeartbeatsUntilTheFinalStatus() {
        run.running();
        simulation.run(Duration.ofSeconds(35));
        assertThat(ingest.heartbeats).isEqualTo(3);
        run.completed();
        simulation.run(Duration.ofSeconds(35));
        assertThat(ingest.heartbeats).isEqualTo(3);
    }

    @Test
    void anExecutionThatIsOverIsForgottenAndMayStillReportLate() {
        run.completed();
        simulation.run(Duration.ofSeconds(90));
        assertThat(simulation.retired).containsExactly("run-1@" + EPOCH);
        run.message("m1", Role.ROLE_AI, "by the way");
        assertThat(simulation.flush(Duration.ofSeconds(5)).complete()).isTrue();
        assertThat(ingest.log.updates(RUN)).hasSize(2);
    }

    @Test
    void aReleasedExecutionSaysNoMoreThatItLives() {
        run.running();
        run.release();
        simulation.run(Duration.ofSeconds(100));
        assertThat(ingest.heartbeats).isZero();
        assertThat(simulation.retired).hasSize(1);
    }

    @Test
    void theEchoesOfOneRefusalDoNotMultiplyWhatIsSent() {
        ingest.misfortunes(new Misfortunes(0, 0, 0.3, 0, 0, 0));
        for (int i = 0; i < 5_000; i++) {
            run.progress(i % 100, "");
        }
        assertThat(simulation.flush(Duration.ofMinutes(5)).complete()).isTrue();
        assertThat(ingest.log.updates(RUN)).hasSize(5_000);
        // Go-back-N sends the window behind a refusal again, once: four batches are under way at most.
        ReporterStats stats = simulation.stats();
        assertThat(stats.refused()).isPositive();
        assertThat(stats.sent()).isLessThan(5_000 + stats.rewinds() * 5 * Limits.BATCH_UPDATES);
        assertThat(stats.rewinds()).isLessThanOrEqualTo(stats.refused());
    }

    @Test
    void aTextEndsAtTheContractsLimitAndSaysSo() {
        run.messageStarted("m1", Role.ROLE_AI);
        for (int i = 0; i < 9; i++) {
            run.appendText("m1", "x".repeat(1024 * 1024));
            assertThat(simulation.flush(Duration.ofSeconds(30)).complete()).isTrue();
        }
        assertThat(text().length()).isBetween(7 * 1024 * 1024, 8 * 1024 * 1024);
        assertThat(ingest.log.updates(RUN))
                .anyMatch(each -> each.getOmitted().getReason().equals("text beyond 8388608 bytes of m1"));
    }

    @Test
    void aRawUpdateWithALoneSurrogateDisturbsNobody() {
        Update.Builder raw = Update.newBuilder();
        raw.getEntryUpsertedBuilder()
                .getEntryBuilder()
                .setEntryId("m1")
                .getMessageBuilder()
                .setText("lone \ud83d half");
        run.update(raw.build());
        run.completed();
        assertThat(simulation.flush(Duration.ofSeconds(5)).complete()).isTrue();
        List<Update> log = ingest.log.updates(RUN);
        assertThat(log).hasSize(2);
        assertThat(log.get(0).toByteString().isEmpty()).isFalse();
    }

    private String text() {
        return ingest.log.text(RUN, "m1", TextField.TEXT_FIELD_TEXT);
    }

    @Test
    void anAttemptThatLiesTooFarAheadWaitsAndIsTakenWhenItsTimeHasCome() {
        ingest.newestEpoch(EPOCH - 1);
        ExecutionReporter run = simulation.execution("run-1", EPOCH);
        run.running();
        run.completed();
        simulation.run(Duration.ofMinutes(5));
        StreamKey key = new StreamKey("run-1", "", EPOCH);
        assertThat(ingest.log.updates(key)).isEmpty();
        ReporterStats stats = simulation.stats();
        assertThat(stats.postponed()).isBetween(5L, 60L);
        assertThat(stats.substituted()).isZero();
        ingest.newestEpoch(EPOCH);
        assertThat(simulation.flush(Duration.ofMinutes(1)).complete()).isTrue();
        assertThat(ingest.log.updates(key)).hasSize(2).noneMatch(Update::hasOmitted);
    }

    @Test
    void aDoorThatIsDownIsLeftAloneForAWhileAndTriedOnce() {
        ingest.misfortunes(new SimulatedIngest.Misfortunes(1, 0, 0, 0, 0, 0));
        simulation.execution("run-1", EPOCH).running();
        simulation.run(Duration.ofMinutes(2));
        assertThat(simulation.stats().breaker()).isEqualTo(BreakerState.OPEN);
        long attempts = simulation.stats().connectAttempts();
        simulation.run(Duration.ofMinutes(5));
        assertThat(simulation.stats().connectAttempts() - attempts).isBetween(5L, 10L);
        ingest.misfortunes(SimulatedIngest.Misfortunes.NONE);
        simulation.run(Duration.ofMinutes(1));
        assertThat(simulation.stats().breaker()).isEqualTo(BreakerState.CLOSED);
        assertThat(ingest.log.updates(new StreamKey("run-1", "", EPOCH))).hasSize(1);
    }
}
