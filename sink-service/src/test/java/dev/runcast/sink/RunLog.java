package dev.runcast.sink;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** One run as a runner reports it and the merge makes of it: the log, the feed, and what must be read back. */
final class RunLog {
    private static final Writer RUNNER =
            Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER).build();

    private final ExecutionKey key;
    private final ReplayState state = new ReplayState();
    private final List<UpdateBatch> updates = new ArrayList<>();
    private final List<ChangeBatch> changes = new ArrayList<>();
    private final List<RejectedUpdate> rejected = new ArrayList<>();
    private final Map<String, Long> lengths = new HashMap<>();
    private final Instant begin;
    private ExecutionView view = ExecutionView.EMPTY;
    private long sequence;

    RunLog(String executionId) {
        this(executionId, Instant.now().minusSeconds(60));
    }

    RunLog(String executionId, Instant begin) {
        this.begin = begin;
        key = new ExecutionKey("default", executionId);
        report(Update.newBuilder()
                .setDeclared(Declared.newBuilder()
                        .setSpec(ExecutionSpec.newBuilder().setAgent("planner").setInput("旅行"))
                        .putLabels("team", "search")));
    }

    ExecutionKey key() {
        return key;
    }

    List<UpdateBatch> updates() {
        return updates;
    }

    List<ChangeBatch> changes() {
        return changes;
    }

    List<RejectedUpdate> rejected() {
        return rejected;
    }

    long version() {
        return view.version();
    }

    /** As a reader must get it. */
    Execution execution() {
        return view.execution();
    }

    /** As a reader must get them, texts included. */
    List<Entry> entries() {
        return view.entries();
    }

    RunLog message(String id) {
        return report(Update.newBuilder()
                .setEntryUpserted(EntryUpserted.newBuilder()
                        .setEntry(Entry.newBuilder()
                                .setEntryId(id)
                                .setState(EntryState.ENTRY_STATE_RUNNING)
                                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI)))));
    }

    RunLog append(String id, String text) {
        long offset = lengths.getOrDefault(id, 0L);
        lengths.put(id, offset + text.getBytes(StandardCharsets.UTF_8).length);
        return report(Update.newBuilder()
                .setTextAppended(TextAppended.newBuilder()
                        .setEntryId(id)
                        .setField(TextField.TEXT_FIELD_TEXT)
                        .setOffset(offset)
                        .setText(text)));
    }

    /** An update that the merge refuses. */
    RunLog appendToNothing() {
        return report(Update.newBuilder()
                .setTextAppended(TextAppended.newBuilder()
                        .setEntryId("nothing")
                        .setField(TextField.TEXT_FIELD_TEXT)
                        .setText("x")));
    }

    RunLog phase(Phase phase) {
        return report(
                Update.newBuilder().setPhaseChanged(PhaseChanged.newBuilder().setPhase(phase)));
    }

    /** A run with some of everything and this many appends. */
    static RunLog of(String executionId, int appends) {
        return of(executionId, appends, Instant.now().minusSeconds(60));
    }

    /** The same, begun at a time. */
    static RunLog of(String executionId, int appends, Instant begin) {
        RunLog run = new RunLog(executionId, begin)
                .phase(Phase.PHASE_RUNNING)
                .message("m1")
                .message("m2");
        for (int i = 0; i < appends; i++) {
            run.append(i % 3 == 0 ? "m1" : "m2", "слово " + i + ' ');
        }
        return run.phase(Phase.PHASE_COMPLETED);
    }

    private RunLog report(Update.Builder update) {
        Instant now = begin.plusMillis(++sequence);
        UpdateBatch batch = UpdateBatch.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .setWriter(RUNNER)
                .setEpoch(begin.toEpochMilli())
                .setFirstSequence(sequence)
                .addUpdates(update)
                .setReceivedAt(
                        Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
                .setRules(Merge.NEWEST_RULES)
                .build();
        updates.add(batch);
        MergeResult result = Merge.apply(state, batch);
        state.write(result.writes());
        changes.addAll(result.changes());
        rejected.addAll(result.rejections());
        for (ChangeBatch made : result.changes()) {
            for (Change change : made.getChangesList()) {
                view = view.apply(change);
            }
        }
        return this;
    }

    /** The Kafka key. */
    byte[] recordKey() {
        return RecordCodec.key(key);
    }
}
