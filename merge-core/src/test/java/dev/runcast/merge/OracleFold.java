package dev.runcast.merge;

import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.UpdateBatch;
import java.util.List;

/**
 * The oracle for other modules' tests: one execution's log in, batch by batch, and what must have become of it out. It
 * shares nothing with the merge but the bounds of single fields. Not thread-safe.
 */
public final class OracleFold {
    private final Oracle oracle = new Oracle();

    /** Takes the next batch of the execution, in the order of the log. */
    public void apply(UpdateBatch batch) {
        oracle.apply(batch);
    }

    /**
     * What became of each update so far, in the order of the log: {@code APPLIED}, {@code DUPLICATE}, or {@code
     * REJECTED} and the name of the reason.
     */
    public List<String> outcomes() {
        return List.copyOf(oracle.outcomes);
    }

    /** The changes so far, without the message for a person in a request's outcome. */
    public List<Change> changes() {
        return List.copyOf(oracle.changes);
    }

    /** The execution now, all fields complete. */
    public Execution execution(String tenant, String executionId) {
        return oracle.state.execution(tenant, executionId);
    }

    /** The entries now in order of first appearance, texts filled in. */
    public List<Entry> entries() {
        return oracle.state.items.stream().map(OracleState.Item::full).toList();
    }
}
