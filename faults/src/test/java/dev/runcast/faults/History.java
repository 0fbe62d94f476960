package dev.runcast.faults;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Ack;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WatchExecutionResponse;
import java.util.List;
import java.util.Map;

/**
 * All that a scenario left behind: what the client's process sent, was told and reported, what the topics and the store
 * hold, and what the viewers saw. Nothing in it is what a service says of itself.
 *
 * @param sent batches that were handed to the stream, resent ones included
 * @param acked acks as they came
 * @param reported what agents reported of executions that they brought to an end: the newest attempt's entries
 * @param log {@code runcast.updates.v1} of each execution, in order
 * @param changes {@code runcast.changes.v1} of each execution, in order, committed ones only
 * @param rejected {@code runcast.rejected.v1}, committed ones only
 * @param stored the store
 * @param views what each viewer saw, by its name; a frame without content says that it came (back) with this cursor
 */
record History(
        List<UpdateBatch> sent,
        List<Ack> acked,
        List<Snapshot> reported,
        Map<ExecutionKey, List<Logged>> log,
        Map<ExecutionKey, List<ChangeBatch>> changes,
        List<RejectedUpdate> rejected,
        Map<ExecutionKey, Stored> stored,
        Map<String, List<WatchExecutionResponse>> views) {

    /** A batch and where it lies. */
    record Logged(int partition, long offset, UpdateBatch batch) {}

    /** An execution in the store. */
    record Stored(Execution execution, List<StoredEntry> entries, List<Change> changes) {}
}
