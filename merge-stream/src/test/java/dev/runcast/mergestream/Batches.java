package dev.runcast.mergestream;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.Merge;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.AttemptStarted;
import dev.runcast.v1.ChatMessage;
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
import java.time.Instant;
import java.util.List;

/** What a runner of one execution sends, and the updates it is made of. */
record Batches(ExecutionKey key, long epoch) {
    /** An execution of the tenant {@code acme} whose attempt has this epoch. */
    static Batches of(String executionId, long epoch) {
        return new Batches(new ExecutionKey("acme", executionId), epoch);
    }

    byte[] kafkaKey() {
        return RecordCodec.key(key);
    }

    UpdateBatch stream(Instant receivedAt, long firstSequence, Update... updates) {
        return stream(receivedAt, firstSequence, List.of(updates));
    }

    UpdateBatch stream(Instant receivedAt, long firstSequence, List<Update> updates) {
        return common(WriterKind.WRITER_KIND_RUNNER, receivedAt)
                .setEpoch(epoch)
                .setFirstSequence(firstSequence)
                .addAllUpdates(updates)
                .build();
    }

    UpdateBatch request(WriterKind kind, Instant receivedAt, String requestId, Update update) {
        return common(kind, receivedAt)
                .setRequestId(requestId)
                .addUpdates(update)
                .build();
    }

    private UpdateBatch.Builder common(WriterKind kind, Instant receivedAt) {
        return UpdateBatch.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .setWriter(Writer.newBuilder().setKind(kind))
                .setReceivedAt(Times.timestamp(receivedAt.toEpochMilli()))
                .setRules(Merge.NEWEST_RULES);
    }

    static Update declared(String agent, String workflowId) {
        return Update.newBuilder()
                .setDeclared(Declared.newBuilder()
                        .setSpec(ExecutionSpec.newBuilder().setAgent(agent).setWorkflowId(workflowId)))
                .build();
    }

    static Update started() {
        return Update.newBuilder()
                .setAttemptStarted(AttemptStarted.newBuilder().setWorker("host-1"))
                .build();
    }

    static Update phase(Phase phase) {
        return Update.newBuilder()
                .setPhaseChanged(PhaseChanged.newBuilder().setPhase(phase))
                .build();
    }

    static Update message(String entryId, EntryState state) {
        return Update.newBuilder()
                .setEntryUpserted(EntryUpserted.newBuilder()
                        .setEntry(Entry.newBuilder()
                                .setEntryId(entryId)
                                .setState(state)
                                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI))))
                .build();
    }

    static Update append(String entryId, long offset, String text) {
        return Update.newBuilder()
                .setTextAppended(TextAppended.newBuilder()
                        .setEntryId(entryId)
                        .setField(TextField.TEXT_FIELD_TEXT)
                        .setOffset(offset)
                        .setText(text))
                .build();
    }
}
