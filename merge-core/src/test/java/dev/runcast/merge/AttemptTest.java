package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.AttemptStarted;
import dev.runcast.v1.Change;
import dev.runcast.v1.Control;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.RequestOutcome;
import dev.runcast.v1.Update;
import dev.runcast.v1.WriterKind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Who runs the agent, and what was asked of it, as a reader of changes is told. */
final class AttemptTest {
    private final Fixture execution = new Fixture();

    @Test
    void newestAttemptSaysWhereItRuns() {
        execution.run(starts("pod-7", "1.2.3"));
        assertThat(attempt()).isEqualTo(attempt(Fixture.EPOCH, "pod-7", "1.2.3", execution.millis));
        execution.millis += 5_000;
        MergeResult result = execution.apply(execution.stream("", Fixture.EPOCH + 1, 1, starts("pod-8", "")));
        assertThat(attempt()).isEqualTo(attempt(Fixture.EPOCH + 1, "pod-8", "", execution.millis));
        Execution row = result.row();
        assertThat(row).isNotNull();
        assertThat(row.getAttempt()).as("in the row").isEqualTo(attempt());
    }

    @Test
    void changeThatIsNotTheBeginningCarriesNoAttempt() {
        execution.run(starts("pod-7", ""), Fixture.says(Phase.PHASE_RUNNING), Fixture.says(Phase.PHASE_COMPLETED));
        assertThat(execution.changes)
                .extracting(change -> change.getExecution().hasAttempt())
                .containsExactly(true, false, false);
        assertThat(attempt().getWorker()).isEqualTo("pod-7");
    }

    @Test
    void refusedBeginningLeavesTheAttempt() {
        execution.run(starts("pod-7", ""), Fixture.says(Phase.PHASE_COMPLETED));
        assertThat(Fixture.only(execution.run(starts("pod-8", "")))).isEqualTo("REJECTED ENDED");
        assertThat(attempt().getWorker()).isEqualTo("pod-7");
        assertThat(StoredState.execution(execution.state).getAttempt()).isEqualTo(attempt());
    }

    @Test
    void beginningWithoutAnEpochCountsUntilThereIsOneWithAnEpoch() {
        execution.request(WriterKind.WRITER_KIND_WORKFLOW, starts("workflow", ""));
        assertThat(attempt().getWorker()).isEqualTo("workflow");
        execution.run(starts("pod-7", ""));
        execution.request(WriterKind.WRITER_KIND_WORKFLOW, starts("workflow", ""));
        assertThat(attempt().getWorker()).isEqualTo("pod-7");
    }

    @ParameterizedTest
    @EnumSource(
            value = Control.class,
            names = {"CONTROL_UNSPECIFIED", "UNRECOGNIZED"},
            mode = EnumSource.Mode.EXCLUDE)
    void answerToAControlRequestSaysWhatWasAskedAlsoWhenRefused(Control control) {
        execution.run(Fixture.declared("workflow-1"));
        execution.run(Fixture.started());
        if (control == Control.CONTROL_RESUME) {
            execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(Control.CONTROL_PAUSE));
        } else if (control == Control.CONTROL_RECOVER) {
            execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_FAILED));
            assertThat(answer().getControl()).as("of another request").isEqualTo(Control.CONTROL_UNSPECIFIED);
        }
        execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(control));
        assertThat(answer().getRefused()).isEqualTo(RejectionReason.REJECTION_REASON_UNSPECIFIED);
        assertThat(answer().getControl()).isEqualTo(control);

        execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_COMPLETED));
        execution.millis -= 1;
        execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(control));
        assertThat(answer().getRefused()).isEqualTo(RejectionReason.REJECTION_REASON_STALE);
        assertThat(answer().getControl()).isEqualTo(control);
    }

    @Test
    void answerToAControlThisBuildDoesNotKnowHasItsNumber() {
        execution.run(Fixture.started());
        Update.Builder unknown = Update.newBuilder();
        unknown.getControlRequestedBuilder().setControlValue(99);
        execution.request(WriterKind.WRITER_KIND_OPERATOR, unknown.build());
        assertThat(answer().getRefused()).isEqualTo(RejectionReason.REJECTION_REASON_INVALID);
        assertThat(answer().getControlValue()).isEqualTo(99);
    }

    private Attempt attempt() {
        return execution.view.execution().getAttempt();
    }

    private RequestOutcome answer() {
        Change last = execution.changes.get(execution.changes.size() - 1);
        return last.getRequestOutcome();
    }

    private static Update starts(String worker, String build) {
        return Update.newBuilder()
                .setAttemptStarted(AttemptStarted.newBuilder().setWorker(worker).setBuild(build))
                .build();
    }

    private static Attempt attempt(long epoch, String worker, String build, long millis) {
        return Attempt.newBuilder()
                .setEpoch(epoch)
                .setWorker(worker)
                .setBuild(build)
                .setStartedAt(Timestamps.fromMillis(millis))
                .build();
    }
}
