package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.sink.FirstDifference.Difference;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import java.util.List;
import java.util.Map;

/**
 * Compares some executions' history in the store with what the log makes, change by change in canonical form, up to
 * the version that is stored, and finds where each first differs.
 */
final class HistoryComparison implements PartitionFold.Listener {
    private final ExecutionStore store;
    private final Map<ExecutionKey, StoredExecution> wanted;
    private final Map<ExecutionKey, String> differences;

    /**
     * @param wanted what is compared, with the version up to which it is stored; not changed
     * @param differences takes where each first differs; may be changed by many threads
     */
    HistoryComparison(
            ExecutionStore store, Map<ExecutionKey, StoredExecution> wanted, Map<ExecutionKey, String> differences) {
        this.store = store;
        this.wanted = wanted;
        this.differences = differences;
    }

    @Override
    public boolean wants(String tenant, String executionId) {
        return wanted.containsKey(new ExecutionKey(tenant, executionId));
    }

    @Override
    public void changed(ChangeBatch batch) {
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        StoredExecution stored = wanted.get(key);
        long first = batch.getChanges(0).getFirstVersion();
        if (first == 1) {
            // The id was used again: only its newest use is to be stored.
            differences.remove(key);
        }
        if (stored == null || first > stored.version() || differences.containsKey(key)) {
            return;
        }
        String difference = difference(key, batch.getChangesList(), stored.version());
        if (!difference.isEmpty()) {
            differences.put(key, difference);
        }
    }

    private String difference(ExecutionKey key, List<Change> log, long storedVersion) {
        long next = log.get(0).getFirstVersion();
        try {
            for (Change expected : log) {
                next = expected.getVersion();
                if (next > storedVersion) {
                    return "";
                }
                String at = "changes[" + next + ']';
                Change found = store.changes(key, next - 1, next).blockFirst();
                if (found == null) {
                    return at + ": absent (expected: all up to " + storedVersion + ')';
                }
                Difference difference = FirstDifference.between(at, expected, found);
                if (difference != null) {
                    return difference.toString();
                }
            }
            return "";
        } catch (IllegalStateException | IllegalArgumentException | ClassCastException | NullPointerException e) {
            return "changes[" + next + "]: cannot be read: " + StoredExecution.sentence(e);
        }
    }

    @Override
    public void rejected(RejectedUpdate rejected) {
        // Not part of any history.
    }

    @Override
    public void end() {
        // Everything was said as it came.
    }
}
