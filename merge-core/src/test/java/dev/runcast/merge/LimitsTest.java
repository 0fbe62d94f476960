package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.UnknownFieldSet;
import dev.runcast.v1.Approval;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Todo;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.ToolCall;
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
    void attemptsThatNeverApplyDoNotPileUpUnderRules1() {
        execution.rules = 1;
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
    void attemptsThatNeverApplyAreGivenUpForGoodWhenTooManyWait() {
        execution.run(Fixture.started());
        for (int i = 1; i <= 100; i++) {
            execution.apply(execution.stream("", Fixture.EPOCH + i, 7, Fixture.started()));
        }
        byte[] header = execution.state.get(new StateKeys(Fixture.KEY).one(StateKeys.HEADER));
        assertThat(header).isNotNull().hasSizeLessThan(1_024);
        assertThat(Fixture.only(execution.apply(execution.stream("", Fixture.EPOCH + 68, 1, Fixture.started()))))
                .isEqualTo("REJECTED FENCED");
        assertThat(Fixture.only(execution.run(Fixture.started())))
                .as("the adopted attempt goes on")
                .isEqualTo("APPLIED");
        assertThat(Fixture.only(execution.apply(execution.stream("", Fixture.EPOCH + 69, 1, Fixture.started()))))
                .as("one that still waits may yet be adopted")
                .isEqualTo("APPLIED");
    }

    @Test
    void streamThatIsForgottenIsNotAskedForWhatItNoLongerHas() {
        execution.run(Fixture.started());
        UpdateBatch refused = execution.stream("", Fixture.EPOCH + 1, 1, Update.getDefaultInstance());
        assertThat(Fixture.only(execution.apply(refused))).isEqualTo("REJECTED INVALID");
        MergeResult last = null;
        for (int i = 2; i <= 33; i++) {
            last = execution.apply(execution.stream("", Fixture.EPOCH + i, 1, Update.getDefaultInstance()));
        }
        assertThat(last).isNotNull();
        assertThat(last.signals()).as("told at once").isNotNull().satisfies(level -> {
            assertThat(level.getGivenUpEpoch()).isEqualTo(Fixture.EPOCH + 1);
            assertThat(level.getEpoch()).isEqualTo(Fixture.EPOCH);
        });
        MergeResult back = execution.apply(execution.stream("", Fixture.EPOCH + 1, 2, Fixture.started()));
        assertThat(Fixture.only(back)).isEqualTo("REJECTED FENCED");
        assertThat(back.signals()).as("asks for nothing").isNull();
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
    void entryThatLeavesNoRoomToSettleItIsTooLarge() {
        assertThat(Fixture.only(execution.run(stuffed("m1", 57_000)))).isEqualTo("APPLIED");
        assertThat(Fixture.only(execution.run(stuffed("m2", 57_340)))).isEqualTo("REJECTED TOO_LARGE");
        assertThat(Fixture.only(execution.run(Fixture.says(Phase.PHASE_COMPLETED))))
                .isEqualTo("APPLIED");
    }

    /** Number 1 keeps what it decided: the log that it merged has to give the same again. */
    @Test
    void entryThatCannotBeSettledHoldsUpTheEndUnderRules1() {
        execution.rules = 1;
        int fits = 65_536;
        while (!Fixture.only(execution.run(stuffed("m1", fits))).equals("APPLIED")) {
            fits--;
        }
        assertThat(Fixture.only(execution.run(Fixture.says(Phase.PHASE_COMPLETED))))
                .isEqualTo("REJECTED TOO_LARGE");
        execution.run(stuffed("m1", 10));
        assertThat(Fixture.only(execution.run(Fixture.says(Phase.PHASE_COMPLETED))))
                .isEqualTo("APPLIED");
    }

    /** Whatever others do to the largest entry of each kind that its writer can leave behind. */
    @Test
    void whatIsNotAnUpsertFitsIntoTheRoomThatUpsertsLeave() {
        Entry.Builder approval = largest("a1").setApproval(Approval.newBuilder().setPrompt("Go on?"));
        Entry.Builder todo = largest("t1").setTodo(Todo.newBuilder().setContent(""));
        Entry.Builder call = largest("c1").setToolCall(ToolCall.newBuilder().setName("search"));
        for (Entry.Builder entry : List.of(approval, todo, call)) {
            int bytes = 57_344 - 100;
            while (!Fixture.only(execution.run(Fixture.upsert(entry.setUnknownFields(Contents.unknown(100, bytes)))))
                    .equals("APPLIED")) {
                bytes--;
            }
        }
        execution.apply(execution
                .batch(WriterKind.WRITER_KIND_OPERATOR, "")
                .setRequestId("decide")
                .setPrincipal("🚀".repeat(128))
                .addUpdates(Update.newBuilder()
                        .setApprovalDecided(ApprovalDecided.newBuilder()
                                .setEntryId("a1")
                                .setDecision(Decision.DECISION_EDIT)
                                .setArguments("x".repeat(128 * 1024))
                                .setComment("c".repeat(4_096))))
                .build());
        execution.run(Update.newBuilder()
                .setTodosReplaced(TodosReplaced.newBuilder()
                        .setParentId("p".repeat(64))
                        .addTodos(TodoItem.newBuilder().setEntryId("t1").setContent("🚀".repeat(1_024))))
                .build());
        for (TextField field : List.of(TextField.TEXT_FIELD_ARGUMENTS, TextField.TEXT_FIELD_RESULT)) {
            execution.run(Update.newBuilder()
                    .setTextAppended(TextAppended.newBuilder()
                            .setEntryId("c1")
                            .setField(field)
                            .setText("text"))
                    .build());
        }
        MergeResult end = execution.run(Fixture.says(Phase.PHASE_COMPLETED));
        assertThat(Fixture.only(end)).isEqualTo("APPLIED");
        assertThat(StoredState.entries(execution.state)).hasSize(3).allSatisfy(entry -> {
            assertThat(entry.getSerializedSize()).isBetween(57_300, 65_536);
            assertThat(EntryStates.isFinished(entry.getState())).isTrue();
        });
    }

    @Test
    void entryOfMoreThan256UnknownFieldsIsRefused() {
        Entry.Builder entry = Entry.newBuilder().setEntryId("m1").setMessage(ChatMessage.newBuilder());
        entry.setUnknownFields(Contents.many(300));
        assertThat(Fixture.only(execution.run(Fixture.upsert(entry)))).isEqualTo("REJECTED TOO_MANY");
        for (int i = 0; i < 20; i++) {
            UnknownFieldSet.Builder more = UnknownFieldSet.newBuilder();
            for (int n = 0; n < 100; n++) {
                more.mergeVarintField(1_000 + 100 * i + n, Integer.MAX_VALUE);
            }
            execution.run(Fixture.upsert(entry.setUnknownFields(more.build())));
        }
        assertThat(StoredState.entries(execution.state)
                        .get(0)
                        .getUnknownFields()
                        .asMap())
                .as("they do not pile up either")
                .hasSizeLessThanOrEqualTo(256);
    }

    /** 512 entries of 64 KiB and two full lists of them are more than a record takes, and would stop the partition. */
    @Test
    void changeThatNoRecordCouldCarryIsRefusedUnderAnyRules() {
        for (int rules = 1; rules <= Merge.NEWEST_RULES; rules++) {
            Fixture stuffed = new Fixture();
            stuffed.rules = rules;
            int bytes = rules == 1 ? 65_200 : 57_000;
            TodosReplaced.Builder first = TodosReplaced.newBuilder();
            TodosReplaced.Builder second = TodosReplaced.newBuilder();
            for (int i = 0; i < 512; i++) {
                stuffed.run(stuffed("m" + i, bytes));
                (i < 256 ? first : second)
                        .addTodos(TodoItem.newBuilder().setEntryId("t" + i).setState(EntryState.ENTRY_STATE_COMPLETED));
            }
            stuffed.run(Update.newBuilder().setTodosReplaced(second).build());
            stuffed.run(Update.newBuilder().setTodosReplaced(first).build());
            for (int i = 0; i < 512; i++) {
                stuffed.run(Fixture.upsert(Entry.newBuilder()
                        .setEntryId("t" + i)
                        .setTodo(Todo.getDefaultInstance())
                        .setUnknownFields(Contents.unknown(100, bytes))));
            }
            UpdateBatch next = stuffed.stream(
                    "",
                    Fixture.EPOCH + 1,
                    1,
                    Update.newBuilder().setTodosReplaced(second).build(),
                    Fixture.started());
            MergeResult result = stuffed.apply(next);
            assertThat(result.outcomes().stream().map(GoldenCase::shown))
                    .as("under rules %d", rules)
                    .containsExactly("REJECTED TOO_LARGE", "APPLIED");
            assertThat(result.changes())
                    .allSatisfy(batch -> assertThat(batch.getSerializedSize()).isLessThan(36 * 1024 * 1024));
        }
    }

    /** A list of few bytes that names large steps in another order would else make megabytes, 200 times in a batch. */
    @Test
    void listThatRewritesMoreThanAMebibyteIsTooLarge() {
        TodosReplaced.Builder list = TodosReplaced.newBuilder();
        TodosReplaced.Builder back = TodosReplaced.newBuilder();
        for (int i = 0; i < 64; i++) {
            execution.run(Fixture.upsert(Entry.newBuilder()
                    .setEntryId("t" + i)
                    .setState(EntryState.ENTRY_STATE_FAILED)
                    .setTodo(Todo.getDefaultInstance())
                    .setFailure(Failure.newBuilder().setMessage("🚀".repeat(4_096)))));
            list.addTodos(TodoItem.newBuilder().setEntryId("t" + i).setState(EntryState.ENTRY_STATE_FAILED));
            back.addTodos(0, list.getTodos(i));
        }
        assertThat(Fixture.only(
                        execution.run(Update.newBuilder().setTodosReplaced(list).build())))
                .isEqualTo("REJECTED TOO_LARGE");
        list.removeTodos(63).removeTodos(62);
        assertThat(Fixture.only(
                        execution.run(Update.newBuilder().setTodosReplaced(list).build())))
                .isEqualTo("APPLIED");
    }

    @Test
    void fullListThatLeavesOutAFullListFits() {
        for (String name : List.of("old-", "new-")) {
            TodosReplaced.Builder todos = TodosReplaced.newBuilder().setParentId("p".repeat(64));
            for (int i = 0; i < 256; i++) {
                todos.addTodos(TodoItem.newBuilder()
                        .setEntryId((name + i + "x".repeat(64)).substring(0, 64))
                        .setContent("c".repeat(950)));
            }
            Update update = Update.newBuilder().setTodosReplaced(todos).build();
            assertThat(update.getSerializedSize()).isBetween(255 * 1024, 256 * 1024);
            assertThat(Fixture.only(execution.run(update))).isEqualTo("APPLIED");
        }
        assertThat(execution.changes.get(1).getEntriesCount()).isEqualTo(512);
    }

    @Test
    void writerIsNamedInChangesAndRejectionsWithoutWhatElseItSays() {
        UpdateBatch.Builder batch =
                execution.stream("", Fixture.EPOCH, 1, Fixture.started(), Update.getDefaultInstance()).toBuilder();
        batch.getWriterBuilder().setUnknownFields(Contents.unknown(9, 400_000));
        MergeResult result = execution.apply(batch.build());
        assertThat(result.changes().get(0).getSerializedSize()).isLessThan(1_000);
        assertThat(result.rejections().get(0).getSerializedSize()).isLessThan(1_000);
    }

    private static Update stuffed(String id, int bytes) {
        return Fixture.upsert(Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setMessage(ChatMessage.getDefaultInstance())
                .setUnknownFields(Contents.unknown(100, bytes)));
    }

    private static Entry.Builder largest(String id) {
        return Entry.newBuilder().setEntryId(id).setState(EntryState.ENTRY_STATE_RUNNING);
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
                        .setRules(3)
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
