package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import java.util.HashMap;
import java.util.Map;

/**
 * What the log makes of the executions of a partition: of each its newest version and a digest of the whole history,
 * some 250 bytes, however long it is. An id that was used again stands for its newest use. Not thread-safe.
 */
final class Shadow {
    private final Map<ExecutionKey, Of> executions = new HashMap<>();
    private final Digest digest = new Digest();

    /** One execution. */
    static final class Of {
        private long version;
        private byte[] digest = Digest.begin();

        long version() {
            return version;
        }

        byte[] digest() {
            return digest;
        }
    }

    void add(ChangeBatch batch) {
        Of of = executions.computeIfAbsent(
                new ExecutionKey(batch.getTenant(), batch.getExecutionId()), first -> new Of());
        for (Change change : batch.getChangesList()) {
            if (change.getVersion() == 1) {
                of.digest = Digest.begin();
            } else if (change.getVersion() != of.version + 1) {
                throw new IllegalStateException("change of %s/%s: version %d (expected: %d, or 1)"
                        .formatted(batch.getTenant(), batch.getExecutionId(), change.getVersion(), of.version + 1));
            }
            of.version = change.getVersion();
            of.digest = digest.after(of.digest, change);
        }
    }

    Map<ExecutionKey, Of> executions() {
        return executions;
    }
}
