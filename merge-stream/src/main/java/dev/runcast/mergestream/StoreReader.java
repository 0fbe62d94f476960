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

/**
 * The store of one task, as the merge reads it and as its writes are put into it.
 *
 * <p>Keeps what was read and written last, since the executions that are running are asked for again and again: their
 * headers, the entries they work on, and whether they have a spec, labels or a failure. A read that goes to RocksDB
 * takes longer than the merge of an update. Every write goes through here and to the store at once, and a task that
 * loses its transaction gets a new processor with a new one of these; so what is kept is what the store holds.
 */
final class StoreReader implements StateReader {
    private static final ByteArraySerializer AS_IT_IS = new ByteArraySerializer();

    /** Some ten thousand records, which is a thousand executions that run at once in one partition. */
    private static final long RECENT_BYTES = 4L * 1024 * 1024;

    private final KeyValueStore<Bytes, byte[]> store;
    private final RecentRecords recent = new RecentRecords(RECENT_BYTES);

    StoreReader(KeyValueStore<Bytes, byte[]> store) {
        this.store = store;
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        Bytes at = Bytes.wrap(key);
        byte[] known = recent.find(at);
        if (known != null) {
            return known == RecentRecords.NONE ? null : known;
        }
        byte[] value = store.get(at);
        recent.put(at, value);
        return value;
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
            Bytes key = Bytes.wrap(write.key());
            byte[] value = write.value();
            if (value == null) {
                recent.forget(key);
                store.delete(key);
            } else {
                store.put(key, value);
                remember(key, value);
            }
        }
    }

    /** Records without a value stand in an index, which is gone through and never asked for one of them. */
    private void remember(Bytes key, byte[] value) {
        if (value.length == 0) {
            recent.forget(key);
        } else {
            recent.put(key, value);
        }
    }
}
