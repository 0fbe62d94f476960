package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Control;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WriterKind;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What leaves the state, when, and that nobody can tell. */
final class ExpiryTest {
    private static final long HOUR = 3_600_000L;
    private final Fixture execution = new Fixture();

    @Test
    void entriesLeave25HoursAfterTheEndAndTheHeaderAnHourAfter30Days() {
        endedRun();
        int whole = execution.state.size();
        expireAt(Duration.ofHours(25));
        assertThat(execution.state.size()).as("at 25 hours").isEqualTo(whole);

        expireAt(Duration.ofHours(25).plusMillis(1));
        assertThat(StoredState.entries(execution.state)).isEmpty();
        byte[] header = execution.state.get(new StateKeys(Fixture.KEY).one(StateKeys.HEADER));
        assertThat(header).isNotNull().hasSizeLessThanOrEqualTo(100);

        expireAt(Duration.ofDays(30).plusHours(1));
        assertThat(execution.state.size()).as("at 30 days and an hour").isPositive();
        expireAt(Duration.ofDays(30).plusHours(1).plusMillis(1));
        assertThat(execution.state.size()).isZero();
    }

    @Test
    void whatComesAfterTheEntriesHaveLeftIsClosed() {
        endedRun();
        long version = execution.view.version();
        expireAt(Duration.ofHours(26));

        execution.millis += 27 * HOUR;
        assertThat(Fixture.only(execution.run(Fixture.append("m1", 5, "late")))).isEqualTo("REJECTED CLOSED");
        MergeResult request =
                execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(Control.CONTROL_RECOVER));
        assertThat(request.rejections().get(0).getReason().name()).endsWith("_CLOSED");
        assertThat(execution.view.version()).as("the answer is a version").isEqualTo(version + 1);
        assertThat(execution.view.execution().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
    }

    @Test
    void doorWhoseClockIsBehindCannotReachWhatHasLeft() {
        endedRun();
        expireAt(Duration.ofHours(26));
        execution.millis += 2 * HOUR;
        assertThat(Fixture.only(execution.run(Fixture.append("m1", 5, "late")))).isEqualTo("REJECTED CLOSED");
    }

    @Test
    void recoveredRunStays() {
        execution.run(Fixture.started(), Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_FAILED));
        execution.request(
                WriterKind.WRITER_KIND_WORKFLOW,
                dev.runcast.v1.Update.newBuilder()
                        .setRecovered(dev.runcast.v1.Recovered.getDefaultInstance())
                        .build());
        int whole = execution.state.size();
        expireAt(Duration.ofDays(300));
        assertThat(execution.state.size()).isEqualTo(whole);
    }

    @Test
    void manyEntriesLeaveInSmallPieces() {
        execution.run(Fixture.started());
        for (int i = 0; i < 100; i++) {
            execution.run(Fixture.message("m" + i, EntryState.ENTRY_STATE_COMPLETED));
        }
        execution.run(Fixture.says(Phase.PHASE_COMPLETED));
        Instant later = Instant.ofEpochMilli(execution.millis).plus(Duration.ofDays(2));
        int calls = 0;
        while (!StoredState.entries(execution.state).isEmpty()) {
            var writes = Merge.expire(execution.state, later, 10);
            assertThat(writes).isNotEmpty().hasSizeLessThanOrEqualTo(20);
            execution.state.write(writes);
            calls++;
        }
        assertThat(calls).isBetween(10, 11);
    }

    @Test
    void attemptOfAnUnknownExecutionMayNotBeOlderThan29Days() {
        execution.millis += 29L * 24 * HOUR + 1;
        UpdateBatch old = execution.stream("", Fixture.EPOCH, 1, Fixture.started());
        assertThat(Fixture.only(execution.apply(old))).isEqualTo("REJECTED EXPIRED");
        assertThat(execution.state.size()).isZero();
        execution.millis -= 1;
        assertThat(Fixture.only(execution.apply(execution.stream("", Fixture.EPOCH, 1, Fixture.started()))))
                .isEqualTo("APPLIED");
    }

    @Test
    void headerOfOnlyRefusedUpdatesLeavesToo() {
        execution.apply(execution.stream("", Fixture.EPOCH, 5, Fixture.started()));
        assertThat(execution.state.size()).isEqualTo(2);
        expireAt(Duration.ofDays(31));
        assertThat(execution.state.size()).isZero();
    }

    @Test
    void idIsNewAfter30DaysWhetherTheHeaderHasLeftOrNot() {
        List<List<String>> results = new ArrayList<>();
        for (Duration leftAfter : List.of(Duration.ZERO, Duration.ofHours(26), Duration.ofDays(31))) {
            Fixture late = new Fixture();
            endedRun(late);
            late.state.write(
                    Merge.expire(late.state, Instant.ofEpochMilli(late.millis).plus(leftAfter), 100));
            late.state.write(
                    Merge.expire(late.state, Instant.ofEpochMilli(late.millis).plus(leftAfter), 100));
            late.millis += 30L * 24 * HOUR + 1_000;

            late.view = ExecutionView.EMPTY;
            MergeResult result = late.apply(late.stream(
                    "", late.millis, 1, Fixture.started(), Fixture.message("m9", EntryState.ENTRY_STATE_RUNNING)));
            results.add(List.of(result.outcomes().toString(), result.changes().toString(), records(late.state)));
        }
        assertThat(results.get(0).get(1)).contains("version: 1\n");
        assertThat(results.get(1)).isEqualTo(results.get(0));
        assertThat(results.get(2)).isEqualTo(results.get(0));
    }

    @Test
    void idIsStillClosedAt30Days() {
        endedRun();
        long end = execution.millis;
        expireAt(Duration.ofHours(26));
        execution.millis = end + 30L * 24 * HOUR - 1_000;
        assertThat(Fixture.only(execution.apply(execution.stream("", execution.millis, 1, Fixture.started()))))
                .isEqualTo("REJECTED CLOSED");
    }

    private void endedRun() {
        endedRun(execution);
    }

    private static void endedRun(Fixture execution) {
        execution.run(
                Fixture.declared(""),
                Fixture.started(),
                Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING),
                Fixture.append("m1", 0, "Hello"));
        execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(Control.CONTROL_PAUSE));
        execution.run(Fixture.says(Phase.PHASE_COMPLETED));
    }

    private static String records(MemoryState state) {
        return state.keys(new byte[0], Integer.MAX_VALUE).stream()
                .map(key -> new String(key, StandardCharsets.ISO_8859_1)
                        + '='
                        + HexFormat.of().formatHex(state.get(key)))
                .toList()
                .toString();
    }

    private void expireAt(Duration afterEnd) {
        Instant logTime = Instant.ofEpochMilli(execution.millis).plus(afterEnd);
        for (int i = 0; i < 5; i++) {
            execution.state.write(Merge.expire(execution.state, logTime, 100));
        }
    }
}
