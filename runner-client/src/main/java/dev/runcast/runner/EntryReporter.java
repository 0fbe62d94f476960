package dev.runcast.runner;

import com.google.protobuf.FieldMask;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Artifact;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Reference;
import dev.runcast.v1.Role;
import dev.runcast.v1.SubAgent;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Usage;
import java.util.List;
import java.util.function.Consumer;

/**
 * Reports the entries of an execution, or of one of its sub-agents. Every call returns at once, throws nothing and may
 * come from any thread; what one thread reports keeps its order.
 *
 * <p>Entry ids are the caller's: {@code [A-Za-z0-9][A-Za-z0-9_-]{0,63}}, unique in the execution. Whatever breaks the
 * contract is left out and said so in the history. Texts are carried verbatim; a lone surrogate, which UTF-8 cannot
 * carry, is replaced by U+FFFD and counted.
 */
public sealed class EntryReporter permits ExecutionReporter {
    private final Reporting reporting;
    private final String parentId;

    EntryReporter(Reporting reporting, String parentId) {
        this.reporting = reporting;
        this.parentId = parentId;
    }

    /** Reports entries that belong under this one, usually a sub-agent's. */
    public final EntryReporter under(String entryId) {
        return new EntryReporter(reporting, entryId);
    }

    /** A whole message. */
    public final void message(String id, Role role, String text) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                true,
                true,
                entry -> entry.setMessage(ChatMessage.newBuilder().setRole(role).setText(reporting.text(text))));
    }

    /** A message that will grow by {@link #appendText(String, String)}. */
    public final void messageStarted(String id, Role role) {
        entry(
                id,
                EntryState.ENTRY_STATE_RUNNING,
                true,
                false,
                entry -> entry.setMessage(ChatMessage.newBuilder().setRole(role)));
    }

    /** A message that grew is complete. */
    public final void messageCompleted(String id) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                false,
                true,
                entry -> entry.setMessage(ChatMessage.getDefaultInstance()));
    }

    /** A tool is called; the arguments are usually JSON and carried verbatim. */
    public final void toolCallStarted(String id, String name, String arguments) {
        entry(
                id,
                EntryState.ENTRY_STATE_RUNNING,
                true,
                false,
                entry -> entry.setToolCall(
                        ToolCall.newBuilder().setName(reporting.name(name)).setArguments(reporting.text(arguments))));
    }

    /** A tool answered. */
    public final void toolCallCompleted(String id, String result) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                false,
                true,
                entry -> entry.setToolCall(ToolCall.newBuilder().setResult(reporting.text(result))));
    }

    /** A tool whose result grew by {@link #appendText(String, TextField, String)} is done. */
    public final void toolCallCompleted(String id) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                false,
                true,
                entry -> entry.setToolCall(ToolCall.getDefaultInstance()));
    }

    /** A tool failed. */
    public final void toolCallFailed(String id, String code, String message) {
        entry(id, EntryState.ENTRY_STATE_FAILED, false, true, entry -> entry.setToolCall(ToolCall.getDefaultInstance())
                .setFailure(reporting.failure(code, message, false)));
    }

    /** A sub-agent begins; what it does is reported {@link #under} it. */
    public final void subAgentStarted(String id, String name, String input) {
        entry(
                id,
                EntryState.ENTRY_STATE_RUNNING,
                true,
                false,
                entry -> entry.setSubAgent(
                        SubAgent.newBuilder().setName(reporting.name(name)).setInput(reporting.text(input))));
    }

    /** A sub-agent answered. */
    public final void subAgentCompleted(String id, String output) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                false,
                true,
                entry -> entry.setSubAgent(SubAgent.newBuilder().setOutput(reporting.text(output))));
    }

    /** A sub-agent failed. */
    public final void subAgentFailed(String id, String code, String message) {
        entry(id, EntryState.ENTRY_STATE_FAILED, false, true, entry -> entry.setSubAgent(SubAgent.getDefaultInstance())
                .setFailure(reporting.failure(code, message, false)));
    }

    /** The agent made something that is a text. */
    public final void artifact(String id, String name, String mediaType, String text) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                true,
                true,
                entry -> entry.setArtifact(Artifact.newBuilder()
                        .setName(reporting.name(name))
                        .setMediaType(mediaType)
                        .setText(reporting.text(text))));
    }

    /** The agent made something that lies elsewhere. */
    public final void artifact(String id, String name, String mediaType, Reference reference) {
        entry(
                id,
                EntryState.ENTRY_STATE_COMPLETED,
                true,
                true,
                entry -> entry.setArtifact(Artifact.newBuilder()
                        .setName(reporting.name(name))
                        .setMediaType(mediaType)
                        .setReference(reference)));
    }

    /** A person is asked; the run waits until the approval is decided. */
    public final void approvalRequested(String id, Approval approval) {
        entry(id, EntryState.ENTRY_STATE_WAITING, true, false, entry -> entry.setApproval(approval));
    }

    /** What one model call used so far; the same id again replaces it. */
    public final void usage(String id, Usage usage) {
        entry(id, EntryState.ENTRY_STATE_COMPLETED, false, false, entry -> entry.setUsage(usage));
    }

    /** Any entry, as a patch: what is absent stays as it is. Without a parent it gets this reporter's. */
    public final void entry(Entry patch) {
        entry(patch, FieldMask.getDefaultInstance());
    }

    /** Any entry, with fields to clear first, as {@code EntryUpserted} names them. */
    public final void entry(Entry patch, FieldMask clear) {
        reporting.report(update -> {
            Entry.Builder entry = patch.toBuilder();
            if (!parentId.isEmpty() && !entry.hasParentId()) {
                entry.setParentId(parentId);
            }
            update.getEntryUpsertedBuilder().setEntry(entry);
            if (clear.getPathsCount() > 0) {
                update.getEntryUpsertedBuilder().setClear(clear);
            }
        });
    }

    /** The text of a message or an artifact grows. Appends are merged until they are sent. */
    public final void appendText(String id, String text) {
        appendText(id, TextField.TEXT_FIELD_TEXT, text);
    }

    /**
     * A text of an entry grows. The offset is kept here: an upsert that carries the text begins it, an append goes
     * behind what was there. A surrogate pair may be split between two appends.
     */
    public final void appendText(String id, TextField field, String text) {
        reporting.append(id, field, text);
    }

    /** The whole plan, under this parent. */
    public final void todos(List<TodoItem> plan) {
        reporting.report(update -> {
            TodosReplaced.Builder todos = update.getTodosReplacedBuilder().setParentId(parentId);
            for (TodoItem item : plan) {
                todos.addTodos(item.toBuilder().setContent(reporting.cut(item.getContent(), Limits.TODO_CHARACTERS)));
            }
        });
    }

    private void entry(String id, EntryState state, boolean starts, boolean ends, Consumer<Entry.Builder> body) {
        reporting.report(update -> {
            // From the inside out: builders within builders would cost the agent's thread more.
            Entry.Builder entry = Entry.newBuilder().setEntryId(id).setState(state);
            if (!parentId.isEmpty()) {
                entry.setParentId(parentId);
            }
            if (starts) {
                entry.setStartedAt(update.getOccurredAt());
            }
            if (ends) {
                entry.setEndedAt(update.getOccurredAt());
            }
            body.accept(entry);
            update.setEntryUpserted(EntryUpserted.newBuilder().setEntry(entry));
        });
    }

    final Reporting reporting() {
        return reporting;
    }
}
