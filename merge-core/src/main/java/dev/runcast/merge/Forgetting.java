package dev.runcast.merge;

import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A state without some of its records, as it is once they have been taken out. */
final class Forgetting implements StateReader {
    private final StateReader state;
    private final Set<ByteBuffer> gone;

    Forgetting(StateReader state, List<StateWrite> deletes) {
        this.state = state;
        this.gone = keys(deletes);
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return gone.contains(ByteBuffer.wrap(key)) ? null : state.get(key);
    }

    @Override
    public List<byte[]> keys(byte[] prefix, int limit) {
        int most = (int) Math.min(Integer.MAX_VALUE, (long) limit + gone.size());
        return state.keys(prefix, most).stream()
                .filter(key -> !gone.contains(ByteBuffer.wrap(key)))
                .limit(limit)
                .toList();
    }

    /** Puts the deletes before the writes, but for those that are written again: each key once. */
    static void first(List<StateWrite> deletes, List<StateWrite> writes) {
        if (!deletes.isEmpty()) {
            Set<ByteBuffer> written = keys(writes);
            writes.addAll(
                    0,
                    deletes.stream()
                            .filter(delete -> !written.contains(ByteBuffer.wrap(delete.key())))
                            .toList());
        }
    }

    private static Set<ByteBuffer> keys(List<StateWrite> writes) {
        Set<ByteBuffer> keys = new HashSet<>();
        writes.forEach(write -> keys.add(ByteBuffer.wrap(write.key())));
        return keys;
    }
}
