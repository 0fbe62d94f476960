package dev.runcast.mergestream;

import dev.runcast.mergestream.MergeStreamSettings.WatchdogSettings;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.UpdateBatch;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.util.unit.DataSize;

/** The real topology with its real store in Kafka's test driver: one partition, one thread, time that tests move. */
final class MergeDriver implements AutoCloseable {
    static final Instant START = Instant.parse("2026-03-01T12:00:00Z");

    final ManualClock clock = new ManualClock(START);
    final SettableLogEnds ends = new SettableLogEnds();
    final List<UpdateBatch> verdicts = new ArrayList<>();
    final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final RocksMemory memory = new RocksMemory(DataSize.ofMegabytes(8));
    private final TopologyTestDriver driver;
    private final TestInputTopic<byte[], byte[]> updates;
    private final TestInputTopic<byte[], byte[]> heartbeats;
    private long updatesEnd;
    private long heartbeatsEnd;

    MergeDriver(Path folder) {
        MergeStreamSettings settings = settings(folder, "test");
        Properties properties = new Properties();
        properties.putAll(new ClientSettings("localhost:1").streams(settings.applicationId(), 1));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        properties.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedRocksDb.class);
        properties.put(BoundedRocksDb.MEMORY, memory);
        driver = new TopologyTestDriver(
                MergeTopology.build(settings, clock, ends, verdicts::add, new MergeMetrics(registry)),
                properties,
                START);
        updates = input(Topic.UPDATES);
        heartbeats = input(Topic.HEARTBEATS);
    }

    static MergeStreamSettings settings(Path folder, String applicationId) {
        return new MergeStreamSettings(
                applicationId,
                folder,
                1,
                Duration.ofMillis(200),
                DataSize.ofMegabytes(16),
                Duration.ofSeconds(6),
                null,
                Duration.ofSeconds(20),
                Duration.ofSeconds(1),
                new WatchdogSettings(true, Duration.ofSeconds(60), Duration.ofHours(24), Duration.ofSeconds(5)));
    }

    void send(UpdateBatch batch) {
        send(RecordCodec.UPDATES.record(batch).key(), batch.toByteArray());
    }

    @SuppressWarnings("NullAway") // Kafka takes null keys and values; its types do not say so.
    void send(byte @Nullable [] key, byte @Nullable [] value) {
        updates.pipeInput(key, value);
        updatesEnd++;
    }

    void beat(Heartbeat heartbeat) {
        beat(RecordCodec.HEARTBEATS.record(heartbeat).key(), heartbeat.toByteArray());
    }

    @SuppressWarnings("NullAway") // Kafka takes null values; its types do not say so.
    void beat(byte[] key, byte @Nullable [] value) {
        heartbeats.pipeInput(key, value);
        heartbeatsEnd++;
    }

    /** Time passes for everybody, with the log read to its end. */
    void pass(Duration time) {
        Duration left = time;
        while (!left.isZero()) {
            Duration step = left.compareTo(Duration.ofSeconds(5)) < 0 ? left : Duration.ofSeconds(5);
            clock.advance(step);
            ends.set(clock.millis(), updatesEnd, heartbeatsEnd);
            driver.advanceWallClockTime(step);
            left = left.minus(step);
        }
    }

    /** Time passes at once. */
    void jump(Duration time) {
        clock.advance(time);
        driver.advanceWallClockTime(time);
    }

    List<ChangeBatch> changeBatches() {
        return read(Topic.CHANGES).stream()
                .map(record -> value(RecordCodec.CHANGES, record))
                .toList();
    }

    List<Change> changes() {
        return changeBatches().stream()
                .flatMap(batch -> batch.getChangesList().stream())
                .toList();
    }

    List<RejectedUpdate> rejected() {
        return read(Topic.REJECTED).stream()
                .map(record -> {
                    try {
                        return RejectedUpdate.parseFrom(record.value());
                    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
                        throw new AssertionError("not a RejectedUpdate", e);
                    }
                })
                .toList();
    }

    /** Key and value of everything that has come out of a topic since it was last read. */
    List<TestRecord<byte[], byte[]>> read(Topic topic) {
        return driver.createOutputTopic(topic.topicName(), new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecordsToList();
    }

    /** How many records the state has. */
    int stateSize() {
        int size = 0;
        try (KeyValueIterator<Bytes, byte[]> records = store().all()) {
            while (records.hasNext()) {
                records.next();
                size++;
            }
        }
        return size;
    }

    double count(String outcome, String reason) {
        return registry.get("runcast.merge.updates")
                .tags("outcome", outcome, "reason", reason)
                .counter()
                .count();
    }

    @Override
    public void close() {
        driver.close();
        memory.close();
    }

    private KeyValueStore<Bytes, byte[]> store() {
        return driver.getKeyValueStore(MergeTopology.STORE);
    }

    private TestInputTopic<byte[], byte[]> input(Topic topic) {
        return driver.createInputTopic(topic.topicName(), new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static <T extends com.google.protobuf.Message> T value(
            RecordCodec<T> codec, TestRecord<byte[], byte[]> record) {
        if (codec.decode(record.key(), record.value()) instanceof Decoded.Value<T> readable) {
            return readable.value();
        }
        throw new AssertionError("a record of ours that cannot be read: " + record);
    }
}
