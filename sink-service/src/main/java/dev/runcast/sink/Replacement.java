package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.sink.ChangeFold.Added;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Writes what a partition of the log makes of some executions: takes each out as its first change comes, then writes
 * all of its changes. Broken off, it leaves executions that are missing or behind, and none that is half of each.
 */
final class Replacement implements PartitionFold.Listener {
    private static final long BYTES_AT_ONCE = 4L * 1024 * 1024;

    private final ExecutionStore store;
    private final Predicate<ExecutionKey> wanted;
    private final boolean storeIsEmpty;
    private final Consumer<RejectedUpdate> rejections;
    private final AtomicLong replaced;
    private final ChangeFold fold = new ChangeFold(Map.of());
    private final Set<ExecutionKey> begun = new HashSet<>();

    /**
     * @param storeIsEmpty whether there is nothing that had to be taken out first
     * @param rejections takes what the merge refused, on the partition's thread
     * @param replaced counts the executions
     */
    Replacement(
            ExecutionStore store,
            Predicate<ExecutionKey> wanted,
            boolean storeIsEmpty,
            Consumer<RejectedUpdate> rejections,
            AtomicLong replaced) {
        this.store = store;
        this.wanted = wanted;
        this.storeIsEmpty = storeIsEmpty;
        this.rejections = rejections;
        this.replaced = replaced;
    }

    @Override
    public boolean wants(String tenant, String executionId) {
        return wanted.test(new ExecutionKey(tenant, executionId));
    }

    @Override
    public void changed(ChangeBatch batch) {
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        if (batch.getChanges(0).getFirstVersion() == 1) {
            begin(key);
        }
        if (!(fold.add(batch) instanceof Added.Taken)) {
            throw new IllegalStateException(
                    "changes of %s: not consecutive (expected: all from version 1)".formatted(key));
        }
        if (fold.bytes() >= BYTES_AT_ONCE) {
            write();
        }
    }

    private void begin(ExecutionKey key) {
        boolean again = !begun.add(key);
        if (again) {
            write();
            fold.forget(key);
        } else {
            replaced.incrementAndGet();
        }
        if (again || !storeIsEmpty) {
            store.remove(key).block();
        }
    }

    private void write() {
        List<ChangeBatch> changes = fold.changes();
        if (!changes.isEmpty()) {
            store.write(StoreWrite.ofChanges(changes)).block();
            fold.written();
        }
    }

    @Override
    public void rejected(RejectedUpdate rejected) {
        rejections.accept(rejected);
    }

    @Override
    public void end() {
        write();
    }
}
