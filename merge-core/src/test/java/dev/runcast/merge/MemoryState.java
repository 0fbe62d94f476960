package dev.runcast.merge;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A store in memory that counts what is read from it and written to it. */
public final class MemoryState implements StateReader {
    private final NavigableMap<byte[], byte[]> records = new TreeMap<>(Arrays::compareUnsigned);
    private long bytesRead;
    private long bytesWritten;

    @Override
    public byte @Nullable [] get(byte[] key) {
        byte[] value = records.get(key);
        bytesRead += value == null ? 0 : key.length + value.length;
        return value;
    }

    @Override
    public List<byte[]> keys(byte[] prefix, int limit) {
        List<byte[]> keys = new ArrayList<>();
        for (byte[] key : records.tailMap(prefix, true).keySet()) {
            if (keys.size() == limit || !startsWith(key, prefix)) {
                break;
            }
            keys.add(key);
            bytesRead += key.length;
        }
        return keys;
    }

    /** Does what a merge said. */
    public void write(List<StateWrite> writes) {
        for (StateWrite write : writes) {
            byte[] value = write.value();
            bytesWritten += write.key().length + (value == null ? 0 : value.length);
            if (value == null) {
                records.remove(write.key());
            } else {
                records.put(write.key(), value);
            }
        }
    }

    /** Bytes read and written since this was last asked. */
    public long takeCost() {
        long cost = bytesRead + bytesWritten;
        bytesRead = 0;
        bytesWritten = 0;
        return cost;
    }

    /** How many records there are. */
    public int size() {
        return records.size();
    }

    private static boolean startsWith(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }
}
