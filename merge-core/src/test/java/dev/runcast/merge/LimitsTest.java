package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Approval;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What an execution may have at most, and what is said when it wants more. */
final class LimitsTest {
    private final Fixture execution = new Fixture();

    @Test
    void the513thUnfinishedEntryIsRefusedUntilOneIsFinished() {
        for (int i = 1; i <= 512; i++) {
            assertThat(Fixture.only(execution.run(Fixture.message("m" + i, EntryState.ENTRY_STATE_RUNNING))))
                    .isEqualTo("APPLIED");
        }
        MergeResult refused = execution.run(Fixture.message("m513", EntryState.ENTRY_STATE_RUNNING));
        assertThat(Fixture.only(refused)).isEqualTo("REJECTED TOO_MANY");
        assertThat(refused.rejections().get(0).getMessage()).contains("513").contains("512");
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_COMPLETED));
        assertThat(Fixture.only(execution.run(Fixture.message("m513", EntryState.ENTRY_STATE_RUNNING))))
                .isEqualTo("APPLIED");
        execution.run(Fixture.says(Phase.PHASE_COMPLETED));
        assertThat(execution.view.execution().getTotals().getOpenEntries()).isZero();
        assertThat(execution.changes.get(execution.changes.size() - 1).getEntriesCount())
                .as("settled by the end")
                .isEqualTo(512);
    }

    @Test
    void the33rdWriterOfAnAttemptIsRefused() {
        for (int i = 1; i <= 32; i++) {
            String name = "writer-" + i;
            assertThat(Fixture.only(execution.apply(
                            execution.stream(name, Fixture.EPOCH, 1, Fixture.says(Phase.PHASE_RUNNING)))))
                    .isEqualTo("APPLIED");
        }
        UpdateBatch one = execution.stream("one-more", Fixture.EPOCH, 1, Fixture.says(Phase.PHASE_RUNNING));
        assertThat(Fixture.only(execution.apply(one))).isEqualTo("REJECTED TOO_MANY");
        UpdateBatch next = execution.stream("one-more", Fixture.EPOCH + 1, 1, Fixture.says(Phase.PHASE_RUNNING));
        assertThat(Fixture.only(execution.apply(next))).isEqualTo("APPLIED");
    }

    @Test
    void attemptsThatNeverApplyDoNotPileUp() {
        execution.run(Fixture.started());
        for (int i = 1; i <= 100; i++) {
            execution.apply(execution.stream("", Fixture.EPOCH + i, 7, Fixture.started()));
        }
        byte[] header = execution.state.get(new StateKeys(Fixture.KEY).one(StateKeys.HEADER));
        assertThat(header).isNotNull().hasSizeLessThan(1_024);
        assertThat(Fixture.only(execution.apply(execution.stream("", Fixture.EPOCH + 1, 1, Fixture.started()))))
                .as("one that was forgotten begins again")
                .isEqualTo("APPLIED");
    }

    @Test
    void requestIsKnownForTheNext63Requests() {
        execution.run(Fixture.started());
        UpdateBatch first = execution
                .batch(WriterKind.WRITER_KIND_WORKFLOW, "")
                .setRequestId("first")
                .addUpdates(Fixture.says(Phase.PHASE_RUNNING))
                .build();
        execution.apply(first);
        for (int i = 0; i < 63; i++) {
            execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_RUNNING));
        }
        assertThat(Fixture.only(execution.apply(first))).isEqualTo("DUPLICATE");
        execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_RUNNING));
        assertThat(Fixture.only(execution.apply(first))).isEqualTo("APPLIED");
    }

    @Test
    void textOfMoreThan8MebibytesIsTooLarge() {
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        String part = "x".repeat(128 * 1024);
        for (int i = 0; i < 64; i++) {
            assertThat(Fixture.only(execution.run(Fixture.append("m1", (long) i * part.length(), part))))
                    .isEqualTo("APPLIED");
        }
        assertThat(Fixture.only(execution.run(Fixture.append("m1", 64L * part.length(), "x"))))
                .isEqualTo("REJECTED TOO_LARGE");
    }

    @Test
    void updateOfMoreThan256KibibytesIsTooLarge() {
        execution.run(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        MergeResult refused = execution.run(Fixture.append("m1", 0, "x".repeat(256 * 1024)));
        assertThat(Fixture.only(refused)).isEqualTo("REJECTED TOO_LARGE");
        assertThat(refused.rejections().get(0).getMessage()).contains("262144");
    }

    @Test
    void entryWithEveryFieldAtItsLimitFits() {
        Entry.Builder largest = Entry.newBuilder()
                .setEntryId("e".repeat(64))
                .setParentId("p".repeat(64))
                .setFailure(Failure.newBuilder().setCode("C".repeat(64)).setMessage("🚀".repeat(4_096)))
                .setApproval(Approval.newBuilder()
                        .setToolCallId("t".repeat(64))
                        .setPrompt("p".repeat(4_096))
                        .setResponseSchema("s".repeat(16_384)));
        assertThat(Fixture.only(execution.run(Fixture.upsert(largest)))).isEqualTo("APPLIED");
    }

    @Test
    void listOf257TodosIsInvalid() {
        TodosReplaced.Builder todos = TodosReplaced.newBuilder();
        for (int i = 1; i <= 257; i++) {
            todos.addTodos(TodoItem.newBuilder().setEntryId("t" + i).setContent("x"));
        }
        assertThat(Fixture.only(execution.run(
                        Update.newBuilder().setTodosReplaced(todos).build())))
                .isEqualTo("REJECTED INVALID");
    }

    @Test
    void changesAreCutIntoBatchesOf512Kibibytes() {
        List<Update> updates = new ArrayList<>();
        updates.add(Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING));
        for (int i = 0; i < 12; i++) {
            updates.add(Fixture.append("m1", i * 100_000L, "x".repeat(100_000)));
        }
        List<ChangeBatch> batches =
                execution.run(updates.toArray(Update[]::new)).changes();
        assertThat(batches).hasSize(3).allSatisfy(batch -> assertThat(batch.getSerializedSize())
                .isLessThan(513 * 1024));
        assertThat(batches.stream().mapToInt(ChangeBatch::getChangesCount).sum())
                .isEqualTo(13);
    }

    @Test
    void neighboursThatAreRefusedForOneReasonAreOneRejection() {
        MergeResult result = execution.run(
                Fixture.append("nobody", 0, "a"),
                Fixture.append("nobody", 0, "b"),
                Fixture.started(),
                Fixture.append("nobody", 0, "c"));
        assertThat(result.rejections()).hasSize(2);
        assertThat(result.rejections().get(0).getCount()).isEqualTo(2);
        assertThat(result.rejections().get(0).getReason()).isEqualTo(RejectionReason.REJECTION_REASON_UNKNOWN_ENTRY);
        assertThat(result.rejections().get(0).getChangeKind()).isEqualTo("text_appended");
        assertThat(result.rejections().get(1).getSequence()).isEqualTo(4);
        assertThat(result.rejections().get(1).getIndex()).isEqualTo(3);
    }

    @Test
    void batchThatBreaksTheContractIsRefusedWholeAndRemembersNothing() {
        for (UpdateBatch broken : List.of(
                execution.stream("", 0, 1, Fixture.started()),
                execution.stream("", Fixture.EPOCH, 0, Fixture.started()),
                execution.stream("", Fixture.EPOCH, Long.MAX_VALUE, Fixture.started()),
                execution.stream("not a name", Fixture.EPOCH, 1, Fixture.started()),
                execution.stream("", Fixture.EPOCH, 1, Fixture.started()).toBuilder()
                        .setTenant("")
                        .build(),
                execution.stream("", Fixture.EPOCH, 1, Fixture.started()).toBuilder()
                        .setExecutionId("a/b")
                        .build(),
                execution.stream("", Fixture.EPOCH, 1, Fixture.started()).toBuilder()
                        .setRules(0)
                        .build(),
                execution.stream("", Fixture.EPOCH, 1, Fixture.started()).toBuilder()
                        .setRules(2)
                        .build(),
                execution.stream("", Fixture.EPOCH, 1, Fixture.started()).toBuilder()
                        .clearPosition()
                        .build(),
                execution
                        .batch(WriterKind.WRITER_KIND_OPERATOR, "")
                        .setFirstSequence(1)
                        .addUpdates(Fixture.started())
                        .build(),
                execution
                        .batch(WriterKind.WRITER_KIND_OPERATOR, "")
                        .setRequestId("r")
                        .addUpdates(Fixture.started())
                        .addUpdates(Fixture.started())
                        .build())) {
            MergeResult result = execution.apply(broken);
            assertThat(result.outcomes())
                    .allSatisfy(outcome -> assertThat(GoldenCase.shown(outcome)).isEqualTo("REJECTED INVALID"));
            assertThat(result.rejections()).isNotEmpty();
            assertThat(result.writes()).isEmpty();
            assertThat(result.header()).isNull();
        }
        assertThat(execution.state.size()).isZero();
    }

    @Test
    void refusedRequestDoesNotMakeAnExecution() {
        MergeResult result = execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.started());
        assertThat(Fixture.only(result)).isEqualTo("REJECTED NOT_PERMITTED");
        assertThat(execution.state.size()).isZero();
    }
}
