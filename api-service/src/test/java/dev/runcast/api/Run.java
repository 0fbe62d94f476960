package dev.runcast.api;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.v1.Cause;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TextState;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Totals;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A run whose changes tests make one by one, and give to the store, to the bell, or to both. Not thread-safe. */
public final class Run {
    private static final long EPOCH = 1_767_225_600_000L;

    private final ExecutionKey key;
    private final List<Change> history = new ArrayList<>();
    private final Map<String, Entry> entries = new HashMap<>();
    private Execution execution;
    private long millis;

    /** A run that has been declared and runs: version 1. */
    public Run(String tenant, String executionId) {
        this(tenant, executionId, EPOCH);
    }

    /** The same, at another time. */
    public Run(String tenant, String executionId, long beginMillis) {
        this.millis = beginMillis;
        this.key = new ExecutionKey(tenant, executionId);
        this.execution = Execution.newBuilder()
                .setTenant(tenant)
                .setExecutionId(executionId)
                .setPhase(Phase.PHASE_RUNNING)
                .setEpoch(EPOCH)
                .setAttempts(1)
                .setRules(1)
                .setCreatedAt(timestamp(beginMillis))
                .setStartedAt(timestamp(beginMillis))
                .setSpec(ExecutionSpec.newBuilder().setAgent("planner").setInput("Plan a trip"))
                .build();
        add(Change.newBuilder().setExecution(execution));
    }

    public ExecutionKey key() {
        return key;
    }

    /** All changes so far. */
    public List<Change> history() {
        return List.copyOf(history);
    }

    public long version() {
        return history.size();
    }

    /** The changes from one version to another. */
    public ChangeBatch batch(long first, long last) {
        return ChangeBatch.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .addAllChanges(history.subList((int) first - 1, (int) last))
                .build();
    }

    /** A message appears. */
    public Run message(String id, String text) {
        Entry.Builder entry = Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI))
                .setOrdinal(entries.size() + 1);
        return append(entry.build(), TextField.TEXT_FIELD_TEXT, text);
    }

    /** A tool call appears, with its arguments. */
    public Run toolCall(String id, String name, String arguments) {
        Entry.Builder entry = Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setToolCall(ToolCall.newBuilder().setName(name))
                .setOrdinal(entries.size() + 1);
        return append(entry.build(), TextField.TEXT_FIELD_ARGUMENTS, arguments);
    }

    /** A tool call has its result. */
    public Run result(String id, String result) {
        Entry finished =
                entry(id).toBuilder().setState(EntryState.ENTRY_STATE_COMPLETED).build();
        return append(finished, TextField.TEXT_FIELD_RESULT, result);
    }

    /** A message grows. */
    public Run text(String id, String text) {
        return append(entry(id), TextField.TEXT_FIELD_TEXT, text);
    }

    /** The run stands elsewhere. */
    public Run phase(Phase phase) {
        Execution.Builder next = execution.toBuilder().setPhase(phase);
        if (phase.getNumber() >= Phase.PHASE_COMPLETED_VALUE) {
            next.setEndedAt(timestamp(millis + 1));
        }
        execution = next.build();
        return add(Change.newBuilder().setExecution(execution.toBuilder().clearSpec()));
    }

    /** Many small changes: a message that grows by so many pieces. */
    public Run grow(String id, int pieces, String piece) {
        for (int i = 0; i < pieces; i++) {
            text(id, piece);
        }
        return this;
    }

    /** Writes everything from a version on. */
    public Run store(ExecutionStore store, long first) {
        return store(store, first, version());
    }

    /** Writes some. */
    public Run store(ExecutionStore store, long first, long last) {
        store.write(StoreWrite.ofChanges(List.of(batch(first, last)))).block();
        return this;
    }

    /** Rings for everything from a version on, one by one. */
    public Run ring(ChangeBell bell, long first) {
        return ring(bell, first, version());
    }

    /** Rings for some, one by one. */
    public Run ring(ChangeBell bell, long first, long last) {
        for (long version = first; version <= last; version++) {
            bell.publish(batch(version, version)).block();
        }
        return this;
    }

    private Entry entry(String id) {
        Entry entry = entries.get(id);
        if (entry == null) {
            throw new IllegalArgumentException("entry: %s (expected: one that has appeared)".formatted(id));
        }
        return entry;
    }

    private Run append(Entry entry, TextField field, String text) {
        long length = 0;
        int index = -1;
        for (int i = 0; i < entry.getTextsCount(); i++) {
            if (entry.getTexts(i).getField() == field) {
                index = i;
                length = entry.getTexts(i).getLengthBytes();
            }
        }
        TextState state = TextState.newBuilder()
                .setField(field)
                .setGeneration(1)
                .setLengthBytes(length + ByteString.copyFromUtf8(text).size())
                .build();
        Entry.Builder next = entry.toBuilder().setVersion(version() + 1).setEpoch(EPOCH);
        if (!next.hasCreatedAt()) {
            next.setCreatedAt(timestamp(millis + 1));
        }
        next.setUpdatedAt(timestamp(millis + 1));
        if (index < 0) {
            next.addTexts(state);
        } else {
            next.setTexts(index, state);
        }
        boolean appears = !entries.containsKey(entry.getEntryId());
        entries.put(entry.getEntryId(), next.build());
        Change.Builder change = Change.newBuilder()
                .addEntries(next)
                .addTexts(TextChange.newBuilder()
                        .setEntryId(entry.getEntryId())
                        .setField(field)
                        .setGeneration(1)
                        .setOffset(length)
                        .setText(text));
        execution = execution.toBuilder()
                .setTotals(Totals.newBuilder().setEntries(entries.size()))
                .build();
        if (appears) {
            change.setExecution(execution.toBuilder().clearSpec());
        }
        return add(change);
    }

    private Run add(Change.Builder change) {
        long version = version() + 1;
        millis++;
        execution = execution.toBuilder()
                .setVersion(version)
                .setUpdatedAt(timestamp(millis))
                .build();
        if (change.hasExecution()) {
            change.getExecutionBuilder().setVersion(version).setUpdatedAt(timestamp(millis));
        }
        history.add(change.setFirstVersion(version)
                .setVersion(version)
                .setReceivedAt(timestamp(millis))
                .setOccurredAt(timestamp(millis))
                .setCause(Cause.newBuilder()
                        .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
                        .setEpoch(EPOCH)
                        .setSequence(version))
                .build());
        return this;
    }

    private static Timestamp timestamp(long millis) {
        return Timestamp.newBuilder()
                .setSeconds(millis / 1000)
                .setNanos((int) (millis % 1000) * 1_000_000)
                .build();
    }
}
