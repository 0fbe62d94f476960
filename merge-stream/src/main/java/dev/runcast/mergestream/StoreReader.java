package dev.runcast.mergestream;

import dev.runcast.merge.StateReader;
import dev.runcast.merge.StateWrite;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** The store of one task, as the merge reads it and as its writes are put into it. */
final class StoreReader implements StateReader {
    private static final ByteArraySerializer AS_IT_IS = new ByteArraySerializer();

    private final KeyValueStore<Bytes, byte[]> store;

    StoreReader(KeyValueStore<Bytes, byte[]> store) {
        this.store = store;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return store.get(Bytes.wrap(key));
    }

    @Override
    public List<byte[]> keys(byte[] prefix, int limit) {
        List<byte[]> keys = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> records = store.prefixScan(prefix, AS_IT_IS)) {
            while (keys.size() < limit && records.hasNext()) {
                keys.add(records.next().key.get());
            }
        }
        return keys;
    }

    void write(List<StateWrite> writes) {
        for (StateWrite write : writes) {
            if (write.value() == null) {
                store.delete(Bytes.wrap(write.key()));
            } else {
                store.put(Bytes.wrap(write.key()), write.value());
            }
        }
    }
}
