package dev.runcast.merge;

import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Approval;
import dev.runcast.v1.AttemptStarted;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Control;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.List;

/** One execution that a test writes to, batch by batch, and the updates to write. */
final class Fixture {
    static final long EPOCH = 1_750_000_000_000L;
    static final ExecutionKey KEY = new ExecutionKey("acme", "run-1");

    final MemoryState state = new MemoryState();
    /** What the door stamps. */
    int rules = Merge.NEWEST_RULES;

    final List<Change> changes = new ArrayList<>();
    ExecutionView view = ExecutionView.EMPTY;
    long millis = EPOCH;
    private long next = 1;
    private int requests;

    /** The next updates of the one runner's stream. */
    MergeResult run(Update... updates) {
        MergeResult result = apply(stream("", EPOCH, next, updates));
        next += updates.length;
        return result;
    }

    /** A request of a new name. */
    MergeResult request(WriterKind kind, Update update) {
        return apply(batch(kind, "")
                .setRequestId("request-" + ++requests)
                .addUpdates(update)
                .build());
    }

    MergeResult apply(UpdateBatch batch) {
        MergeResult result = Merge.apply(state, batch);
        state.write(result.writes());
        for (ChangeBatch made : result.changes()) {
            for (Change change : made.getChangesList()) {
                changes.add(change);
                view = view.apply(change);
            }
        }
        return result;
    }

    UpdateBatch stream(String name, long epoch, long first, Update... updates) {
        return batch(WriterKind.WRITER_KIND_RUNNER, name)
                .setEpoch(epoch)
                .setFirstSequence(first)
                .addAllUpdates(List.of(updates))
                .build();
    }

    UpdateBatch.Builder batch(WriterKind kind, String name) {
        return UpdateBatch.newBuilder()
                .setTenant(KEY.tenant())
                .setExecutionId(KEY.executionId())
                .setWriter(Writer.newBuilder().setKind(kind).setName(name))
                .setReceivedAt(Timestamps.fromMillis(millis))
                .setRules(rules);
    }

    /** How the only update of a result was received, as golden cases show it. */
    static String only(MergeResult result) {
        if (result.outcomes().size() != 1) {
            throw new AssertionError(result.outcomes());
        }
        return GoldenCase.shown(result.outcomes().get(0));
    }

    static Update started() {
        return Update.newBuilder()
                .setAttemptStarted(AttemptStarted.getDefaultInstance())
                .build();
    }

    static Update says(Phase phase) {
        return Update.newBuilder()
                .setPhaseChanged(PhaseChanged.newBuilder().setPhase(phase))
                .build();
    }

    static Update message(String id, EntryState state) {
        return upsert(Entry.newBuilder()
                .setEntryId(id)
                .setState(state)
                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI)));
    }

    static Update asks(String id) {
        return upsert(Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_WAITING)
                .setApproval(Approval.newBuilder().setPrompt("Go on?")));
    }

    static Update upsert(Entry.Builder entry) {
        return Update.newBuilder()
                .setEntryUpserted(EntryUpserted.newBuilder().setEntry(entry))
                .build();
    }

    static Update append(String id, long offset, String text) {
        return Update.newBuilder()
                .setTextAppended(TextAppended.newBuilder()
                        .setEntryId(id)
                        .setField(TextField.TEXT_FIELD_TEXT)
                        .setOffset(offset)
                        .setText(text))
                .build();
    }

    static Update declared(String workflowId) {
        return Update.newBuilder()
                .setDeclared(Declared.newBuilder()
                        .setSpec(ExecutionSpec.newBuilder()
                                .setAgent("planner")
                                .setInput("Plan a trip")
                                .setWorkflowId(workflowId)))
                .build();
    }

    static Update control(Control control) {
        return Update.newBuilder()
                .setControlRequested(ControlRequested.newBuilder().setControl(control))
                .build();
    }
}
