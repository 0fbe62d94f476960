package dev.runcast.mergestream;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.Options;

/** Gives every store the memory that they share. Kafka Streams makes one of these for each store. */
public final class BoundedRocksDb implements RocksDBConfigSetter {
    /** Under this name the shared {@link RocksMemory} stands in the Kafka Streams configuration. */
    static final String MEMORY = "runcast.rocksdb.memory";

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        if (!(configs.get(MEMORY) instanceof RocksMemory memory)) {
            throw new IllegalArgumentException(MEMORY + ": " + configs.get(MEMORY) + " (expected: a RocksMemory)");
        }
        memory.applyTo(options);
    }

    /** What is shared outlives the store. */
    @Override
    public void close(String storeName, Options options) {}
}
