package dev.runcast.benchmarks.rival;

import dev.runcast.topics.ClientSettings;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * The least stateful thing Kafka Streams can do, in its own DSL: count the records of each key in a value of 500 bytes,
 * kept in RocksDB with a changelog and passed on. Nothing is parsed. It has the client settings of the real merge, one
 * thread, exactly once, and RocksDB's settings as Kafka Streams gives them.
 */
public final class MinimalAggregate implements AutoCloseable {
    private static final int VALUE_BYTES = 500;

    private final LongAdder counted = new LongAdder();
    private final KafkaStreams streams;

    /** Begins to count at the first record. */
    public MinimalAggregate(
            ClientSettings kafka, String applicationId, String input, String output, Path stateDirectory) {
        Map<String, Object> settings = new HashMap<>(kafka.streams(applicationId, 1));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateDirectory.toString());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 1000);
        settings.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        settings.put(StreamsConfig.METRIC_REPORTER_CLASSES_CONFIG, List.of());
        StreamsBuilder builder = new StreamsBuilder();
        builder.stream(input, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()))
                .groupByKey()
                .aggregate(
                        () -> new byte[VALUE_BYTES],
                        (key, record, value) -> count(value),
                        Materialized.<byte[], byte[], KeyValueStore<Bytes, byte[]>>as("counts")
                                .withKeySerde(Serdes.ByteArray())
                                .withValueSerde(Serdes.ByteArray())
                                .withCachingDisabled())
                .toStream()
                .to(output, Produced.with(Serdes.ByteArray(), Serdes.ByteArray()));
        streams = new KafkaStreams(builder.build(), new StreamsConfig(settings));
        streams.start();
    }

    /** Records counted so far. */
    public long counted() {
        return counted.sum();
    }

    @Override
    public void close() {
        streams.close(java.time.Duration.ofSeconds(20));
        streams.cleanUp();
    }

    private byte[] count(byte[] value) {
        byte[] next = value.clone();
        ByteBuffer.wrap(next).putLong(0, ByteBuffer.wrap(value).getLong(0) + 1);
        counted.increment();
        return next;
    }
}
