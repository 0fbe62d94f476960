package dev.runcast.mergestream;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * The records of one task that were read or written last, and that there were none under a key. Bounded in bytes; what
 * was used longest ago leaves first. Not thread-safe.
 */
final class RecentRecords {
    /** About what a record costs on the heap besides its bytes: the map's node, the key and two array headers. */
    static final int OVERHEAD_BYTES = 128;

    /** Stands for a record that does not exist. */
    static final byte[] NONE = new byte[0];

    private final LinkedHashMap<Bytes, byte[]> records = new LinkedHashMap<>(256, 0.75f, true);
    private final long mostBytes;
    private long bytes;

    /** @param mostBytes what the records may take together, {@link #OVERHEAD_BYTES} each included */
    RecentRecords(long mostBytes) {
        this.mostBytes = mostBytes;
    }

    /** The record, or {@link #NONE} when there is none; null when nothing is known of the key. */
    byte @Nullable [] find(Bytes key) {
        return records.get(key);
    }

    /** @param value null when there is no record under the key */
    void put(Bytes key, byte @Nullable [] value) {
        byte[] now = value == null ? NONE : value;
        byte[] before = records.put(key, now);
        bytes += before == null ? cost(key, now) : now.length - before.length;
        if (bytes > mostBytes) {
            makeRoom();
        }
    }

    /** Knows nothing of the key any more. */
    void forget(Bytes key) {
        byte[] before = records.remove(key);
        if (before != null) {
            bytes -= cost(key, before);
        }
    }

    /** What the records take together. */
    long bytes() {
        return bytes;
    }

    private void makeRoom() {
        Iterator<Map.Entry<Bytes, byte[]>> oldest = records.entrySet().iterator();
        while (bytes > mostBytes && oldest.hasNext()) {
            Map.Entry<Bytes, byte[]> leaving = oldest.next();
            bytes -= cost(leaving.getKey(), leaving.getValue());
            oldest.remove();
        }
    }

    private static long cost(Bytes key, byte[] value) {
        return (long) OVERHEAD_BYTES + key.get().length + value.length;
    }
}
