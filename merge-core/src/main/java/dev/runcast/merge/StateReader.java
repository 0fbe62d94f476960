package dev.runcast.merge;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What the merge may see of a key-value store: its records as they were before the batch. */
public interface StateReader {
    /** The record under a key, or null when there is none. The array must not be changed by either side. */
    byte @Nullable [] get(byte[] key);

    /**
     * The keys that begin with a prefix, in unsigned byte order.
     *
     * @param limit the most that are returned, 1 or greater
     */
    List<byte[]> keys(byte[] prefix, int limit);
}
