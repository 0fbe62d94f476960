package dev.runcast.ingest;

import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;

/** The log as the door sees it: appended to, and told when what was appended is durable. Thread-safe. */
interface UpdateLog extends AutoCloseable {
    /**
     * Appends a stamped batch. Batches of one execution are appended in the order of the calls; what comes
     * of each is told once, possibly before this returns, possibly on another thread. Failures are not
     * prefixes: what was appended after a batch that failed may land.
     */
    void append(UpdateBatch batch, Landing landing);

    /** Appends a sign of life, as {@link #append} does. */
    void heartbeat(Heartbeat heartbeat, Landing landing);

    @Override
    void close();

    /** What came of an append. Implementations are quick and do not throw. */
    interface Landing {
        /** It is durable. */
        void landed();

        /** It is not known to be durable, and may land all the same. */
        void failed(Exception cause);
    }
}
