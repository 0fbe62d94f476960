package dev.runcast.api;

import dev.runcast.api.control.UpdateLog;
import dev.runcast.doors.Principal;
import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.merge.StateReader;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.topics.Stamp;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/**
 * The log and everything behind it in one: what is appended is merged at once, rung, and stored. Tests switch parts of
 * it off. Thread-safe.
 */
public final class MergedLog implements UpdateLog {
    private final TreeMap<byte[], byte[]> state = new TreeMap<>(Arrays::compareUnsigned);
    private final List<UpdateBatch> waiting = new ArrayList<>();
    private final ExecutionStore store;
    private final ChangeBell bell;
    private final Stamp stamp = new Stamp(InstantSource.system());

    /** Whether the log takes anything. */
    public volatile boolean up = true;
    /** Whether what it takes is merged, or waits. */
    public volatile boolean merging = true;
    /** Whether the bell rings. */
    public volatile boolean ringing = true;

    private int appended;

    MergedLog(ExecutionStore store, ChangeBell bell) {
        this.store = store;
        this.bell = bell;
    }

    @Override
    public Mono<Void> append(UpdateBatch request, Principal principal) {
        return Mono.fromRunnable(() -> {
            if (!up) {
                throw new IllegalStateException("the brokers are away");
            }
            append(stamp.on(request, principal.tenant(), principal.name()).build());
        });
    }

    private synchronized void append(UpdateBatch stamped) {
        appended++;
        waiting.add(stamped);
        if (merging) {
            merge();
        }
    }

    /** A run of an agent "planner" that a runner reports, without a workflow: declared, then running. */
    public void runs(String tenant, String executionId) {
        say(
                tenant,
                executionId,
                Update.newBuilder()
                        .setDeclared(Declared.newBuilder()
                                .setSpec(ExecutionSpec.newBuilder().setAgent("planner")))
                        .build());
        phase(tenant, executionId, Phase.PHASE_RUNNING);
    }

    /** Its runner says a phase. */
    public void phase(String tenant, String executionId, Phase phase) {
        say(
                tenant,
                executionId,
                Update.newBuilder()
                        .setPhaseChanged(PhaseChanged.newBuilder().setPhase(phase))
                        .build());
    }

    /** Its runner asks for an approval. */
    public void asks(String tenant, String executionId, String approvalId) {
        say(
                tenant,
                executionId,
                Update.newBuilder()
                        .setEntryUpserted(EntryUpserted.newBuilder()
                                .setEntry(Entry.newBuilder()
                                        .setEntryId(approvalId)
                                        .setState(EntryState.ENTRY_STATE_WAITING)
                                        .setApproval(Approval.newBuilder().setPrompt("May I?"))))
                        .build());
    }

    private void say(String tenant, String executionId, Update update) {
        UpdateBatch said = UpdateBatch.newBuilder()
                .setExecutionId(executionId)
                .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
                .setRequestId(UUID.randomUUID().toString())
                .addUpdates(update)
                .build();
        append(stamp.on(said, tenant, "runner").build());
    }

    /** Merges what waits. */
    public synchronized void merge() {
        waiting.forEach(this::merge);
        waiting.clear();
    }

    /** How many batches wait to be merged. */
    public synchronized int waiting() {
        return waiting.size();
    }

    /** How many batches it has taken. */
    public synchronized int appended() {
        return appended;
    }

    private void merge(UpdateBatch batch) {
        MergeResult result = Merge.apply(new State(), batch);
        result.writes().forEach(write -> {
            if (write.value() == null) {
                state.remove(write.key());
            } else {
                state.put(write.key(), write.value());
            }
        });
        if (ringing) {
            result.changes().forEach(changes -> bell.publish(changes).block());
        }
        store.write(new StoreWrite(result.changes(), result.rejections(), List.of()))
                .block();
    }

    private final class State implements StateReader {
        @Override
        public byte @Nullable [] get(byte[] key) {
            return state.get(key);
        }

        @Override
        public List<byte[]> keys(byte[] prefix, int limit) {
            return state.tailMap(prefix).keySet().stream()
                    .takeWhile(key -> key.length >= prefix.length
                            && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length))
                    .limit(limit)
                    .toList();
        }
    }
}
