package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.EntryState;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.Progress;
import dev.runcast.v1.Update;
import dev.runcast.v1.WriterKind;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/** What an update reads from the store and writes to it, in bytes: the ten-thousandth costs what the tenth did. */
final class MergeCostTest {
    private static final int EARLY = 10;
    private static final int LATE = 10_000;
    private static final double MOST = 1.1;

    @Test
    void messageCostsTheSameHoweverManyCameBefore() {
        assertFlat(new Fixture(), i -> Fixture.message("message-%05d".formatted(i), EntryState.ENTRY_STATE_COMPLETED));
    }

    @Test
    void appendCostsTheSameHoweverLongTheText() {
        Fixture execution = new Fixture();
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        assertFlat(execution, i -> Fixture.append("m1", (i - 1) * 10L, "0123456789"));
    }

    @Test
    void progressCostsTheSameHoweverLargeTheInput() {
        Fixture execution = new Fixture();
        execution.run(Fixture.declared("workflow-1"));
        assertFlat(execution, i -> Update.newBuilder()
                .setExecutionPatched(ExecutionPatched.newBuilder()
                        .setProgress(Progress.newBuilder().setPercent(50 + i % 50)))
                .build());
    }

    @Test
    void requestCostsTheSameHoweverManyCameBefore() {
        Fixture execution = new Fixture();
        execution.run(Fixture.started());
        for (int i = 0; i < 70; i++) {
            execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(dev.runcast.v1.Phase.PHASE_RUNNING));
        }
        execution.state.takeCost();
        long early = requestCost(execution);
        for (int i = 0; i < LATE; i++) {
            execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(dev.runcast.v1.Phase.PHASE_RUNNING));
        }
        execution.state.takeCost();
        assertThat(requestCost(execution)).isLessThanOrEqualTo((long) (early * MOST));
    }

    @Test
    void headerOfABusyExecutionStaysSmall() {
        Fixture execution = new Fixture();
        execution.run(Fixture.declared("agent-execution/acme/run-1"), Fixture.started());
        for (int i = 0; i < 1_000; i++) {
            execution.run(Fixture.message("m" + i, EntryState.ENTRY_STATE_COMPLETED));
        }
        byte[] header = execution.state.get(new StateKeys(Fixture.KEY).one(StateKeys.HEADER));
        assertThat(header).isNotNull().hasSizeLessThanOrEqualTo(512);
    }

    private static void assertFlat(Fixture execution, IntFunction<Update> update) {
        long early = 0;
        long late = 0;
        for (int i = 1; i <= LATE; i++) {
            execution.state.takeCost();
            MergeResult result = execution.run(update.apply(i));
            assertThat(Fixture.only(result)).isEqualTo("APPLIED");
            if (i == EARLY) {
                early = execution.state.takeCost();
            } else if (i == LATE) {
                late = execution.state.takeCost();
            }
        }
        System.out.printf("state bytes read and written: update %d %d, update %d %d%n", EARLY, early, LATE, late);
        assertThat((double) late / early).isLessThanOrEqualTo(MOST);
    }

    private static long requestCost(Fixture execution) {
        execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(dev.runcast.v1.Phase.PHASE_RUNNING));
        return execution.state.takeCost();
    }
}
