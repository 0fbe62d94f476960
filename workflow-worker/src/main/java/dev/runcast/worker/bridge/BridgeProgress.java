package dev.runcast.worker.bridge;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * How far the bridge has come on the change feed, all its instances together: what its group has committed. Used by one
 * thread.
 */
final class BridgeProgress implements AutoCloseable {
    /** Where the feed ended at some time, by partition. */
    record Mark(Map<TopicPartition, Long> ends) {}

    private final KafkaConsumer<byte[], byte[]> consumer;

    /** @param group the bridge's consumer group, of which this is no member */
    BridgeProgress(ClientSettings clients, String group) {
        // It neither subscribes nor assigns, and so never joins the group.
        this.consumer = new KafkaConsumer<>(clients.consumer("runcast-bridge-progress", group, Isolation.UNCOMMITTED));
    }

    /** Where the feed ends now. */
    Mark end() {
        List<TopicPartition> partitions = consumer.partitionsFor(Topic.CHANGES.topicName()).stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .toList();
        return new Mark(Map.copyOf(consumer.endOffsets(partitions)));
    }

    /** Whether the bridge has done everything that was on the feed then. */
    boolean hasPassed(Mark mark) {
        Set<TopicPartition> partitions = new HashSet<>(mark.ends().keySet());
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(partitions);
        return mark.ends().entrySet().stream().allMatch(end -> {
            OffsetAndMetadata done = committed.get(end.getKey());
            return end.getValue() == 0 || done != null && done.offset() >= end.getValue();
        });
    }

    @Override
    public void close() {
        consumer.close();
    }
}
