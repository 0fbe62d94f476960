package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Control;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WriterKind;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** A runner that comes when the level of its execution has left the topic of signals is told again. */
final class LateRunnerTest {
    private static final long DAY = 24 * 3_600_000L;
    private final Fixture execution = new Fixture();

    @Test
    void refusedADayAfterTheEndItHearsTheOutcome() {
        execution.run(Fixture.started(), Fixture.says(Phase.PHASE_COMPLETED));
        execution.millis += DAY + 1;
        assertThat(told(execution.run(Fixture.started())).getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
    }

    @Test
    void itHearsTheSameWhenTheEntriesHaveLeft() {
        execution.run(Fixture.started());
        // What is missing is not asked for again: it would be refused.
        execution.apply(execution.stream("", Fixture.EPOCH, 9, Fixture.started()));
        execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_FAILED));
        execution.millis += 26 * 3_600_000L;
        ExecutionSignals before = told(execution.run(Fixture.started()));
        execution.state.write(Merge.expire(
                execution.state, Instant.ofEpochMilli(execution.millis).plus(Duration.ofHours(1)), 100));
        assertThat(StoredState.entries(execution.state)).isEmpty();
        assertThat(told(execution.run(Fixture.started()))).isEqualTo(before);
        assertThat(before.getPhase()).isEqualTo(Phase.PHASE_FAILED);
        assertThat(before.getResendsList()).isEmpty();
    }

    @Test
    void attemptThatBeganAfterTheEndHearsTheOutcomeAndLeavesNothingBehind() {
        execution.run(Fixture.started(), Fixture.says(Phase.PHASE_COMPLETED));
        int records = execution.state.size();
        execution.millis += 5_000;
        MergeResult late = execution.apply(
                execution.stream("", execution.millis, 1, Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING)));
        assertThat(Fixture.only(late)).isEqualTo("REJECTED CLOSED");
        assertThat(told(late).getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(told(late).getEpoch()).isEqualTo(Fixture.EPOCH);
        assertThat(execution.state.size()).isEqualTo(records);
        assertThat(StoredState.execution(execution.state).getEpoch()).isEqualTo(Fixture.EPOCH);
    }

    @Test
    void attemptTooOldToBeginAnExecutionHearsThatItIsFenced() {
        execution.millis += 29 * DAY + 1;
        MergeResult old = execution.run(Fixture.started(), Fixture.says(Phase.PHASE_RUNNING));
        ExecutionSignals level = told(old);
        assertThat(level.getVersion()).isZero();
        assertThat(level.getMinimumEpoch()).as("just above it").isEqualTo(Fixture.EPOCH + 1);
        assertThat(old.rejections()).hasSize(1);
        assertThat(execution.state.size()).isZero();
        MergeResult young = execution.apply(execution.stream("", level.getMinimumEpoch(), 1, Fixture.started()));
        assertThat(Fixture.only(young)).isEqualTo("APPLIED");
    }

    @Test
    void othersThatComeTooLateChangeNoLevel() {
        execution.run(Fixture.started(), Fixture.says(Phase.PHASE_COMPLETED));
        execution.millis += DAY + 1;
        MergeResult refused =
                execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(Control.CONTROL_CANCEL));
        assertThat(refused.signals()).isNull();
    }

    @Test
    void executionBegunUnderRules1KeepsThemWhenTheDoorStampsTheNext() {
        execution.rules = 1;
        execution.run(Fixture.started());
        execution.rules = 2;
        execution.run(Fixture.says(Phase.PHASE_COMPLETED));
        execution.millis += 5_000;
        MergeResult late = execution.apply(
                execution.stream("", execution.millis, 1, Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING)));
        assertThat(Fixture.only(late)).as("as rules 1 would").isEqualTo("APPLIED");
        assertThat(execution.view.execution().getRules()).isEqualTo(1);
    }

    private static ExecutionSignals told(MergeResult result) {
        ExecutionSignals level = result.signals();
        assertThat(level).isNotNull();
        return level;
    }
}
