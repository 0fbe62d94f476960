package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.merge.MergeResult;
import dev.runcast.merge.Outcome;
import dev.runcast.mergestream.MergeStreamSettings.WatchdogSettings;
import dev.runcast.state.v1.Header;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.RequestOutcome;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class WatchdogTest {
    private static final Instant START = Instant.parse("2026-03-01T12:00:00Z");
    private static final Duration STALLED_AFTER = Duration.ofSeconds(60);
    private static final Duration LOST_AFTER = Duration.ofHours(24);
    private static final Duration TICK = Duration.ofSeconds(5);
    private static final long EPOCH = 1_000;

    private final ManualClock clock = new ManualClock(START);
    private final SettableLogEnds ends = new SettableLogEnds();
    private final List<UpdateBatch> verdicts = new ArrayList<>();
    private final Watchdog watchdog = new Watchdog(
            0,
            new WatchdogSettings(true, STALLED_AFTER, LOST_AFTER, TICK),
            clock,
            ends,
            verdicts::add,
            new MergeMetrics(new SimpleMeterRegistry()));
    private long nextOffset;

    @Test
    void aSilentRunnerIsStalledOnceAndNotBeforeItsTime() {
        report(running("a", 3));
        pass(Duration.ofSeconds(60));
        assertThat(kinds()).isEmpty();

        pass(Duration.ofSeconds(30));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);
        UpdateBatch batch = verdicts.get(0);
        assertThat(batch.getRequestId()).isEqualTo("stalled-1000-3");
        assertThat(batch.getWriter().getKind()).isEqualTo(WriterKind.WRITER_KIND_SYSTEM);
        assertThat(batch.getWriter().getName()).isEmpty();
        assertThat(batch.getUpdates(0).getVerdict().getEpoch()).isEqualTo(EPOCH);
        assertThat(batch.getUpdates(0).getVerdict().getAsOf()).isEqualTo(3);

        answer(running("a", 4).toBuilder().setStalled(true).build(), null);
        pass(Duration.ofMinutes(10));
        assertThat(kinds()).hasSize(1);
    }

    @Test
    void heartbeatsKeepAnExecutionLive() {
        report(running("a", 3));
        for (int i = 0; i < 20; i++) {
            pass(Duration.ofSeconds(30));
            beat("a", EPOCH);
        }
        assertThat(kinds()).isEmpty();
    }

    @Test
    void heartbeatsOfAFencedAttemptDoNot() {
        report(running("a", 3));
        for (int i = 0; i < 4; i++) {
            pass(Duration.ofSeconds(25));
            beat("a", EPOCH - 1);
        }
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);
    }

    @Test
    void aStalledExecutionThatIsHeardAgainIsLive() {
        report(running("a", 3));
        pass(Duration.ofSeconds(70));
        answer(running("a", 4).toBuilder().setStalled(true).build(), null);
        beat("a", EPOCH);
        pass(TICK);
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED, VerdictKind.VERDICT_KIND_LIVE);
        assertThat(verdicts.get(1).getRequestId()).isEqualTo("live-1000-4");
    }

    @Test
    void aStalledExecutionThatTheMergeItselfRevivedNeedsNoVerdict() {
        report(running("a", 3));
        pass(Duration.ofSeconds(70));
        answer(running("a", 4).toBuilder().setStalled(true).build(), null);
        report(running("a", 5));
        pass(TICK);
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);
    }

    @Test
    void nobodyIsJudgedWhileTheLogHasNotBeenReadToItsEnd() {
        report(running("a", 3));
        tickFor(Duration.ofMinutes(10), nextOffset + 1, 0);
        assertThat(kinds()).isEmpty();
        tickFor(Duration.ofMinutes(10), nextOffset, 1);
        assertThat(kinds()).isEmpty();
    }

    @Test
    void afterLaggingEveryRunnerGetsItsFullTimeAgain() {
        report(running("a", 3));
        tickFor(Duration.ofMinutes(10), nextOffset + 1, 0);
        pass(Duration.ofSeconds(55));
        assertThat(kinds()).isEmpty();
        pass(Duration.ofSeconds(20));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);
    }

    @Test
    void afterSleepingEveryRunnerGetsItsFullTimeAgain() {
        report(running("a", 3));
        pass(TICK);
        clock.advance(Duration.ofDays(3));
        pass(Duration.ofSeconds(50));
        assertThat(kinds()).isEmpty();
    }

    @Test
    void whatIsFoundAtTheStartIsNotJudgedByItsOldTimes() {
        watchdog.found(stored(running("a", 3), Duration.ofHours(2), false));
        pass(Duration.ofSeconds(60));
        assertThat(kinds()).isEmpty();
        pass(Duration.ofSeconds(15));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);
    }

    @Test
    void whatHasBeenSilentForADayIsLostAlsoOverARestartButNotBeforeItCouldBeHeard() {
        Execution stalled = running("a", 4).toBuilder().setStalled(true).build();
        watchdog.found(stored(stalled, Duration.ofHours(30), false));
        pass(Duration.ofSeconds(60));
        assertThat(kinds()).isEmpty();
        pass(Duration.ofSeconds(15));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_LOST);
        assertThat(verdicts.get(0).getRequestId()).isEqualTo("lost-1000-4");
    }

    @Test
    void whatWasHeardAfterTheRestartIsNotLost() {
        Execution stalled = running("a", 4).toBuilder().setStalled(true).build();
        watchdog.found(stored(stalled, Duration.ofHours(30), false));
        pass(Duration.ofSeconds(30));
        beat("a", EPOCH);
        pass(Duration.ofSeconds(60));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_LIVE);
    }

    @Test
    void anExecutionWithAWorkflowIsStalledButNeverLost() {
        Execution row = running("a", 1).toBuilder()
                .setSpec(ExecutionSpec.newBuilder().setWorkflowId("agent-execution/acme/a"))
                .build();
        merged(runner(EPOCH), running("a", 1), row, List.of());
        watchdog.found(stored(running("b", 7), Duration.ofDays(9), true));
        pass(Duration.ofSeconds(70));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED, VerdictKind.VERDICT_KIND_STALLED);
        answer(running("a", 2).toBuilder().setStalled(true).build(), null);
        answer(running("b", 8).toBuilder().setStalled(true).build(), null);
        pass(Duration.ofDays(2));
        assertThat(kinds()).hasSize(2);
    }

    @Test
    void whatWaitsForAPersonIsNotJudgedAndGetsItsFullTimeAfterwards() {
        report(running("a", 3));
        pass(Duration.ofSeconds(30));
        report(in(Phase.PHASE_WAITING_FOR_APPROVAL, "a", 4));
        pass(Duration.ofDays(2));
        assertThat(kinds()).isEmpty();

        merged(
                Writer.newBuilder().setKind(WriterKind.WRITER_KIND_OPERATOR).build(),
                0,
                running("a", 5),
                null,
                List.of(),
                UpdateBatch.newBuilder());
        pass(Duration.ofSeconds(55));
        assertThat(kinds()).isEmpty();
        pass(Duration.ofSeconds(10));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);
    }

    @Test
    void whatNobodyHasBegunToRunCannotStallButCanBeLost() {
        report(in(Phase.PHASE_PENDING, "a", 1).toBuilder().setEpoch(0).build());
        pass(Duration.ofHours(1));
        assertThat(kinds()).isEmpty();
        pass(Duration.ofHours(23).plusSeconds(30));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_LOST);
    }

    @Test
    void whatHasEndedIsForgotten() {
        report(running("a", 3));
        report(in(Phase.PHASE_COMPLETED, "a", 4));
        pass(Duration.ofDays(2));
        assertThat(kinds()).isEmpty();
    }

    @Test
    void aVerdictThatGotLostOnItsWayIsMadeAgainUnderTheSameName() {
        report(running("a", 3));
        pass(Duration.ofSeconds(70));
        pass(Duration.ofSeconds(70));
        assertThat(verdicts).extracting(UpdateBatch::getRequestId).containsExactly("stalled-1000-3", "stalled-1000-3");
    }

    @Test
    void aVerdictThatIsRefusedForGoodIsNotRepeatedUntilTheRunnerIsHeard() {
        report(running("a", 3));
        pass(Duration.ofSeconds(70));
        answer(running("a", 4), RejectionReason.REJECTION_REASON_NOT_PERMITTED);
        pass(Duration.ofHours(1));
        assertThat(kinds()).containsExactly(VerdictKind.VERDICT_KIND_STALLED);

        report(running("a", 5));
        pass(Duration.ofSeconds(80));
        assertThat(kinds()).hasSize(2);
    }

    @Test
    void aVerdictThatCameTooLateIsJudgedAnew() {
        report(running("a", 3));
        pass(Duration.ofSeconds(70));
        answer(running("a", 5), RejectionReason.REJECTION_REASON_VERDICT_OUTDATED);
        pass(Duration.ofSeconds(70));
        assertThat(verdicts).extracting(UpdateBatch::getRequestId).containsExactly("stalled-1000-3", "stalled-1000-5");
    }

    @Test
    void nothingIsJudgedWhenTheBrokersDoNotAnswer() {
        report(running("a", 3));
        for (int i = 0; i < 100; i++) {
            clock.advance(TICK);
            watchdog.tick();
        }
        assertThat(kinds()).isEmpty();
    }

    @Test
    void aClosedTaskIsNoLongerAskedFor() {
        assertThat(ends.watched).containsExactly(0);
        watchdog.close();
        assertThat(ends.watched).isEmpty();
    }

    private void report(Execution header) {
        merged(runner(header.getEpoch()), header, null, List.of());
    }

    private void answer(Execution header, @Nullable RejectionReason refused) {
        RequestOutcome.Builder outcome = RequestOutcome.newBuilder();
        if (refused != null) {
            outcome.setRefused(refused);
        }
        UpdateBatch verdict = verdicts.get(verdicts.size() - 1);
        merged(
                verdict.getWriter(),
                0,
                header,
                null,
                List.of(new Outcome.Applied(
                        Change.newBuilder().setRequestOutcome(outcome).build())),
                verdict.toBuilder());
    }

    private static UpdateBatch.Builder runner(long epoch) {
        return UpdateBatch.newBuilder()
                .setEpoch(epoch)
                .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER));
    }

    private void merged(UpdateBatch.Builder batch, Execution header, @Nullable Execution row, List<Outcome> outcomes) {
        watchdog.merged(batch.build(), new MergeResult(outcomes, List.of(), List.of(), List.of(), row, null, header));
        watchdog.updatesProcessed(++nextOffset);
    }

    private void merged(
            Writer writer,
            long epoch,
            Execution header,
            @Nullable Execution row,
            List<Outcome> outcomes,
            UpdateBatch.Builder batch) {
        merged(batch.setWriter(writer).setEpoch(epoch), header, row, outcomes);
    }

    private void beat(String executionId, long epoch) {
        watchdog.heard(Heartbeat.newBuilder()
                .setTenant("acme")
                .setExecutionId(executionId)
                .setEpoch(epoch)
                .build());
    }

    /** Time passes with the log read to its end. */
    private void pass(Duration time) {
        tickFor(time, nextOffset, 0);
    }

    private void tickFor(Duration time, long updatesEnd, long heartbeatsEnd) {
        Instant until = clock.instant().plus(time);
        while (clock.instant().isBefore(until)) {
            clock.advance(TICK);
            ends.set(clock.millis(), updatesEnd, heartbeatsEnd);
            watchdog.tick();
        }
    }

    private List<VerdictKind> kinds() {
        return verdicts.stream()
                .map(batch -> batch.getUpdates(0).getVerdict())
                .map(Verdict::getKind)
                .toList();
    }

    private static Execution running(String executionId, long version) {
        return in(Phase.PHASE_RUNNING, executionId, version);
    }

    private static Execution in(Phase phase, String executionId, long version) {
        return Execution.newBuilder()
                .setTenant("acme")
                .setExecutionId(executionId)
                .setVersion(version)
                .setEpoch(EPOCH)
                .setPhase(phase)
                .build();
    }

    private static Header stored(Execution execution, Duration age, boolean hasWorkflow) {
        return Header.newBuilder()
                .setExecution(execution.toBuilder()
                        .setUpdatedAt(Times.timestamp(START.minus(age).toEpochMilli())))
                .setHasWorkflow(hasWorkflow)
                .build();
    }
}
