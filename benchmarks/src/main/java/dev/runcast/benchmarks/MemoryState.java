package dev.runcast.benchmarks;

import dev.runcast.merge.StateReader;
import dev.runcast.merge.StateWrite;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** A store that takes equally long however much is in it, so that what grows is the merge's own. Not thread-safe. */
final class MemoryState implements StateReader {
    private final Map<ByteBuffer, byte[]> values = new HashMap<>();
    private final TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);

    @Override
    public byte @Nullable [] get(byte[] key) {
        return values.get(ByteBuffer.wrap(key));
    }

    @Override
    public List<byte[]> keys(byte[] prefix, int limit) {
        List<byte[]> found = new ArrayList<>();
        for (byte[] key : keys.tailSet(prefix, true)) {
            if (found.size() == limit
                    || key.length < prefix.length
                    || !Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length)) {
                break;
            }
            found.add(key);
        }
        return found;
    }

    void write(List<StateWrite> writes) {
        for (StateWrite write : writes) {
            byte[] value = write.value();
            if (value == null) {
                values.remove(ByteBuffer.wrap(write.key()));
                keys.remove(write.key());
            } else if (values.put(ByteBuffer.wrap(write.key()), value) == null) {
                keys.add(write.key());
            }
        }
    }
}
