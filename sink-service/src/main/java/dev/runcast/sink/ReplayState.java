package dev.runcast.sink;

import dev.runcast.merge.StateReader;
import dev.runcast.merge.StateWrite;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The merge's state in memory, for one partition of a log that is merged again. Records are found by hash, since most
 * are read and written over many times; an order of the keys is kept beside them for the few questions that need one.
 * Not thread-safe.
 */
final class ReplayState implements StateReader {
    private final Map<Key, byte[]> values = new HashMap<>();
    private final TreeSet<byte[]> order = new TreeSet<>(Arrays::compareUnsigned);

    private record Key(byte[] bytes) {
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Key key && Arrays.equals(bytes, key.bytes);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(bytes);
        }
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return values.get(new Key(key));
    }

    @Override
    public List<byte[]> keys(byte[] prefix, int limit) {
        List<byte[]> keys = new ArrayList<>();
        for (byte[] key : order.tailSet(prefix, true)) {
            if (keys.size() == limit
                    || key.length < prefix.length
                    || !Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length)) {
                break;
            }
            keys.add(key);
        }
        return keys;
    }

    void write(List<StateWrite> writes) {
        for (StateWrite write : writes) {
            byte[] value = write.value();
            if (value == null) {
                if (values.remove(new Key(write.key())) != null) {
                    order.remove(write.key());
                }
            } else if (values.put(new Key(write.key()), value) == null) {
                order.add(write.key());
            }
        }
    }
}
