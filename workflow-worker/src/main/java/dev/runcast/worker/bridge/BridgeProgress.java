package dev.runcast.worker.bridge;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
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

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final KafkaConsumer<byte[], byte[]> consumer;

    /** @param group the bridge's consumer group, of which this is no member */
    BridgeProgress(ClientSettings clients, String group) {
        // It subscribes to nothing, and so never joins the group.
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
            return end.getValue() == 0
                    || done != null
                            && (done.offset() >= end.getValue()
                                    || isEmpty(end.getKey(), done.offset(), end.getValue()));
        });
    }

    /**
     * Whether there is no record between two offsets: the marks of transactions have offsets too, and whoever reads
     * commits only what lies behind a record. False also when that cannot be told at once.
     */
    private boolean isEmpty(TopicPartition partition, long from, long end) {
        consumer.assign(List.of(partition));
        try {
            consumer.seek(partition, from);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> first : consumer.poll(POLL)) {
                    return first.offset() >= end;
                }
                if (System.nanoTime() - deadline > 0) {
                    return false;
                }
            }
            return true;
        } finally {
            consumer.unsubscribe();
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
