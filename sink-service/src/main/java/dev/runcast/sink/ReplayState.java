package dev.runcast.sink;

import dev.runcast.merge.StateReader;
import dev.runcast.merge.StateWrite;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The merge's state in memory, for one partition of a log that is merged again. Not thread-safe. */
final class ReplayState implements StateReader {
    private final TreeMap<byte[], byte[]> values = new TreeMap<>(Arrays::compareUnsigned);

    @Override
    public byte @Nullable [] get(byte[] key) {
        return values.get(key);
    }

    @Override
    public List<byte[]> keys(byte[] prefix, int limit) {
        List<byte[]> keys = new ArrayList<>();
        for (byte[] key : values.tailMap(prefix, true).keySet()) {
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
                values.remove(write.key());
            } else {
                values.put(write.key(), value);
            }
        }
    }
}
