package dev.runcast.store;

import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What one poll of the feeds gives the store.
 *
 * @param changes for each execution at most one batch, its changes consecutive and none of them folded; here a batch
 *     may be of any size. Its first change must follow, or repeat, what is stored: the writer looks for holes
 * @param rejected updates that were not applied
 * @param deadLetters records that could not be read
 */
public record StoreWrite(List<ChangeBatch> changes, List<RejectedUpdate> rejected, List<DeadLetter> deadLetters) {
    /** @throws IllegalArgumentException when an execution comes twice, or its changes are not consecutive */
    public StoreWrite {
        changes = List.copyOf(changes);
        rejected = List.copyOf(rejected);
        deadLetters = List.copyOf(deadLetters);
        Set<String> executions = new HashSet<>();
        for (ChangeBatch batch : changes) {
            String key = batch.getTenant() + '/' + batch.getExecutionId();
            if (!executions.add(key)) {
                throw new IllegalArgumentException("changes: %s twice (expected: one batch each)".formatted(key));
            }
            requireConsecutive(key, batch.getChangesList());
        }
    }

    /** Only changes. */
    public static StoreWrite ofChanges(List<ChangeBatch> changes) {
        return new StoreWrite(changes, List.of(), List.of());
    }

    /** Only rejections. */
    public static StoreWrite ofRejected(List<RejectedUpdate> rejected) {
        return new StoreWrite(List.of(), rejected, List.of());
    }

    /** Only dead letters. */
    public static StoreWrite ofDeadLetters(List<DeadLetter> deadLetters) {
        return new StoreWrite(List.of(), List.of(), deadLetters);
    }

    private static void requireConsecutive(String key, List<Change> changes) {
        if (changes.isEmpty()) {
            throw new IllegalArgumentException("changes of %s: none (expected: 1 or more)".formatted(key));
        }
        long expected = changes.get(0).getVersion();
        if (expected < 1) {
            throw new IllegalArgumentException("version of %s: %d (expected: 1 or greater)".formatted(key, expected));
        }
        for (Change change : changes) {
            if (change.getFirstVersion() != expected || change.getVersion() != expected) {
                throw new IllegalArgumentException("versions of %s: %d to %d (expected: %d)"
                        .formatted(key, change.getFirstVersion(), change.getVersion(), expected));
            }
            expected++;
        }
    }
}
