package dev.runcast.store;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Cause;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RequestOutcome;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TextState;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Totals;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/** Writes a history as the merge would, and knows what must be read back: the texts as plain strings. */
final class History {
    private final ExecutionKey key;
    private final List<Change> changes = new ArrayList<>();
    private final Map<String, Entry> records = new LinkedHashMap<>();
    private final Map<String, String> texts = new LinkedHashMap<>();
    private Execution execution;
    private long seconds = 1_800_000_000L;

    History(String tenant, String executionId) {
        key = new ExecutionKey(tenant, executionId);
        execution = Execution.newBuilder()
                .setTenant(tenant)
                .setExecutionId(executionId)
                .setPhase(Phase.PHASE_PENDING)
                .setRules(1)
                .build();
    }

    ExecutionKey key() {
        return key;
    }

    /** As a reader must get it. */
    Execution execution() {
        return execution;
    }

    long version() {
        return changes.size();
    }

    List<Change> changes() {
        return List.copyOf(changes);
    }

    /** The changes after one version up to another. */
    ChangeBatch batch(long after, long through) {
        return ChangeBatch.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .addAllChanges(changes.subList((int) after, (int) through))
                .build();
    }

    StoreWrite all() {
        return StoreWrite.ofChanges(List.of(batch(0, version())));
    }

    /** An entry's text; a tool call's result. */
    String text(String entryId) {
        return texts.getOrDefault(entryId, "");
    }

    /** All entries with their texts, by ordinal. */
    List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        records.forEach((id, record) -> {
            Entry.Builder entry = record.toBuilder();
            if (record.getTextsCount() > 0 && record.hasMessage()) {
                entry.getMessageBuilder().setText(text(id));
            } else if (record.getTextsCount() > 0) {
                entry.getToolCallBuilder().setResult(text(id));
            }
            entries.add(entry.build());
        });
        return entries;
    }

    History at(long epochSeconds) {
        seconds = epochSeconds;
        return this;
    }

    History declared(String agent, String session, Map<String, String> labels) {
        Execution.Builder patch = header();
        ExecutionSpec spec = ExecutionSpec.newBuilder()
                .setAgent(agent)
                .setSessionId(session)
                .setInput("Plan a trip. 旅行")
                .build();
        ExecutionAttributes attributes =
                ExecutionAttributes.newBuilder().putAllLabels(labels).build();
        if (!execution.hasCreatedAt()) {
            patch.setCreatedAt(time());
        }
        return add(patch.setSpec(spec).setAttributes(attributes), List.of(), List.of());
    }

    History phase(Phase phase) {
        Execution.Builder patch = header().setPhase(phase);
        if (!execution.hasCreatedAt()) {
            patch.setCreatedAt(time());
        }
        return add(patch, List.of(), List.of());
    }

    History failed(Failure failure) {
        return add(header().setPhase(Phase.PHASE_FAILED).setFailure(failure).setEndedAt(time()), List.of(), List.of());
    }

    /** The failure is cleared, as by a recovery. */
    History recovered() {
        return add(
                header().setPhase(Phase.PHASE_PENDING).clearEndedAt().setFailure(Failure.getDefaultInstance()),
                List.of(),
                List.of());
    }

    History with(FieldDescriptor field, Message value) {
        return add(header().setField(field, value), List.of(), List.of());
    }

    History message(String id) {
        return record(Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI)));
    }

    History toolCall(String id, String name) {
        return record(Entry.newBuilder()
                .setEntryId(id)
                .setState(EntryState.ENTRY_STATE_RUNNING)
                .setToolCall(ToolCall.newBuilder().setName(name)));
    }

    History append(String id, String text) {
        return write(id, text(id).length(), text, false);
    }

    /** The text is cut at a character and goes on with other words. */
    History rewrite(String id, int fromCharacter, String text) {
        return write(id, fromCharacter, text, false);
    }

    /** The text begins again, as another generation. */
    History restart(String id, String text) {
        return write(id, 0, text, true);
    }

    private History write(String id, int fromCharacter, String text, boolean newGeneration) {
        Entry before = records.get(id);
        String kept = text(id).substring(0, fromCharacter);
        texts.put(id, kept + text);
        int generation = before.getTextsCount() == 0 ? 1 : before.getTexts(0).getGeneration() + (newGeneration ? 1 : 0);
        TextField field = before.hasMessage() ? TextField.TEXT_FIELD_TEXT : TextField.TEXT_FIELD_RESULT;
        Entry record = before.toBuilder()
                .setVersion(version() + 1)
                .setUpdatedAt(time())
                .clearTexts()
                .addTexts(TextState.newBuilder()
                        .setField(field)
                        .setGeneration(generation)
                        .setLengthBytes(bytes(text(id))))
                .build();
        records.put(id, record);
        Execution.Builder patch = header();
        patch.getTotalsBuilder()
                .setTextBytes(texts.values().stream().mapToLong(History::bytes).sum());
        TextChange change = TextChange.newBuilder()
                .setEntryId(id)
                .setField(field)
                .setGeneration(generation)
                .setOffset(bytes(kept))
                .setText(text)
                .build();
        return add(patch, List.of(record), List.of(change));
    }

    private History record(Entry.Builder entry) {
        Entry record = entry.setOrdinal(records.size() + 1L)
                .setVersion(version() + 1)
                .setCreatedAt(time())
                .setUpdatedAt(time())
                .build();
        records.put(record.getEntryId(), record);
        Execution.Builder patch = header();
        patch.setTotals(Totals.newBuilder().setEntries(records.size()));
        return add(patch, List.of(record), List.of());
    }

    /** One change with many records, each with the failure that is made for its number from 0 on. */
    History records(int count, IntFunction<Failure> failures) {
        List<Entry> made = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Entry record = Entry.newBuilder()
                    .setEntryId("r" + i)
                    .setState(EntryState.ENTRY_STATE_FAILED)
                    .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI))
                    .setFailure(failures.apply(i))
                    .setOrdinal(records.size() + 1L)
                    .setVersion(version() + 1)
                    .setCreatedAt(time())
                    .setUpdatedAt(time())
                    .build();
            records.put(record.getEntryId(), record);
            made.add(record);
        }
        Execution.Builder patch = header();
        patch.setTotals(Totals.newBuilder().setEntries(records.size()));
        return add(patch, made, List.of());
    }

    /** A change that touches nothing but the version. */
    History nothing() {
        return add(null, List.of(), List.of());
    }

    /** A request that changes nothing else. */
    History request(String requestId) {
        nothing();
        Change made = changes.remove(changes.size() - 1);
        changes.add(made.toBuilder()
                .setRequestOutcome(RequestOutcome.newBuilder().setRequestId(requestId))
                .build());
        return this;
    }

    private History add(Execution.Builder patch, List<Entry> entries, List<TextChange> appended) {
        Change.Builder change = Change.newBuilder()
                .setFirstVersion(version() + 1)
                .setVersion(version() + 1)
                .setCause(Cause.newBuilder().setEpoch(1).setSequence(version() + 1))
                .setReceivedAt(time())
                .addAllEntries(entries)
                .addAllTexts(appended);
        if (patch != null) {
            change.setExecution(patch.setVersion(version() + 1).setUpdatedAt(time()));
        }
        changes.add(change.build());
        execution = ExecutionPatch.apply(execution, change.build());
        seconds++;
        return this;
    }

    /** The small fields; what may be absent is absent. */
    private Execution.Builder header() {
        return execution.toBuilder()
                .clearSpec()
                .clearAttributes()
                .clearFailure()
                .clearLateOutcome()
                .clearAttempt();
    }

    private Timestamp time() {
        return Timestamp.newBuilder().setSeconds(seconds).setNanos(123_456_789).build();
    }

    private static long bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
