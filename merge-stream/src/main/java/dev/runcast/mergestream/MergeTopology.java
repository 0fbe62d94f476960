package dev.runcast.mergestream;

import dev.runcast.topics.Topic;
import java.time.InstantSource;
import java.util.Map;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** What flows where. Nothing is decided here. */
final class MergeTopology {
    /** The one store. Its changelog's name is made of the application's and this, so it is for ever. */
    static final String STORE = "state";

    static final String CHANGES = "changes";
    static final String EXECUTIONS = "executions";
    static final String REJECTED = "rejected";
    static final String SIGNALS = "signals";

    private static final String UPDATES = "updates";
    private static final String HEARTBEATS = "heartbeats";
    private static final String MERGE = "merge";

    private MergeTopology() {}

    static Topology build(
            MergeStreamSettings settings,
            InstantSource clock,
            LogEnds ends,
            VerdictLog verdicts,
            MergeMetrics metrics) {
        Topology topology = new Topology();
        source(topology, UPDATES, Topic.UPDATES);
        source(topology, HEARTBEATS, Topic.HEARTBEATS);
        topology.addProcessor(
                MERGE,
                () -> new MergeProcessor(
                        settings,
                        metrics,
                        partition -> new Watchdog(partition, settings.watchdog(), clock, ends, verdicts, metrics)),
                UPDATES,
                HEARTBEATS);
        topology.addStateStore(store(), MERGE);
        sink(topology, CHANGES, Topic.CHANGES);
        sink(topology, EXECUTIONS, Topic.EXECUTIONS);
        sink(topology, REJECTED, Topic.REJECTED);
        sink(topology, SIGNALS, Topic.SIGNALS);
        return topology;
    }

    private static void source(Topology topology, String name, Topic topic) {
        topology.addSource(
                AutoOffsetReset.earliest(),
                name,
                // A record may carry no time of its own; nothing here depends on it, and failing would stop the
                // partition.
                (record, partitionTime) -> Math.max(0, record.timestamp()),
                new ByteArrayDeserializer(),
                new ByteArrayDeserializer(),
                topic.topicName());
    }

    private static void sink(Topology topology, String name, Topic topic) {
        topology.addSink(name, topic.topicName(), new ByteArraySerializer(), new ByteArraySerializer(), MERGE);
    }

    private static StoreBuilder<KeyValueStore<Bytes, byte[]>> store() {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(STORE), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingEnabled(Map.of(
                        "cleanup.policy",
                        "compact",
                        "max.message.bytes",
                        Integer.toString(Topic.MAX_RECORD_BYTES),
                        "segment.bytes",
                        Integer.toString(Topic.COMPACTED_SEGMENT_BYTES)));
    }
}
