package dev.runcast.sink;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** The log of updates as it was at one moment, read from its beginning as often as one likes. Thread-safe. */
final class UpdateLog {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final int RECORDS_AT_ONCE = 2_000;

    private final Map<String, Object> settings;
    private final List<Extent> extents;

    /**
     * What a partition holds.
     *
     * @param begin the first offset that is there; above 0 the beginning has been deleted
     * @param end the offset after the last one
     */
    record Extent(TopicPartition partition, long begin, long end) {}

    /** Takes one partition's records, in order, on one thread. */
    interface Reader {
        void take(ConsumerRecord<byte[], byte[]> record);

        /** That was the last one. */
        void end();
    }

    private UpdateLog(Map<String, Object> settings, List<Extent> extents) {
        this.settings = settings;
        this.extents = extents;
    }

    /**
     * The log from its beginning to where it ends now.
     *
     * @throws RebuildException when there is none
     */
    static UpdateLog now(ClientSettings kafka) {
        Map<String, Object> settings = kafka.consumer("runcast-rebuild", null, Isolation.COMMITTED);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, RECORDS_AT_ONCE);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (PartitionInfo partition : consumer.partitionsFor(Topic.UPDATES.topicName())) {
                partitions.add(new TopicPartition(partition.topic(), partition.partition()));
            }
            if (partitions.isEmpty()) {
                throw new RebuildException("topic %s: not there (expected: the log of updates, at %s)"
                        .formatted(Topic.UPDATES.topicName(), kafka.bootstrapServers()));
            }
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<Extent> extents = new ArrayList<>();
            for (TopicPartition partition : partitions) {
                extents.add(
                        new Extent(partition, begins.getOrDefault(partition, 0L), ends.getOrDefault(partition, 0L)));
            }
            return new UpdateLog(settings, List.copyOf(extents));
        }
    }

    List<Extent> extents() {
        return extents;
    }

    /** How many records there are. */
    long records() {
        return extents.stream().mapToLong(extent -> extent.end - extent.begin).sum();
    }

    /**
     * Reads every partition, as many at a time as there are processors, and returns when all are read.
     *
     * @param readers is asked once for each partition
     * @throws RuntimeException the first that a reader or Kafka's client threw; the others stop soon after
     */
    void read(Function<TopicPartition, Reader> readers) {
        int threads = Math.max(1, Math.min(extents.size(), Runtime.getRuntime().availableProcessors()));
        AtomicInteger number = new AtomicInteger();
        ExecutorService pool = Executors.newFixedThreadPool(threads, task -> {
            Thread thread = new Thread(task, "rebuild-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        try {
            List<Future<?>> running = new ArrayList<>();
            for (Extent extent : extents) {
                Reader reader = readers.apply(extent.partition);
                running.add(pool.submit(() -> read(extent, reader)));
            }
            for (Future<?> partition : running) {
                await(partition);
            }
        } finally {
            pool.shutdownNow();
        }
    }

    static void await(Future<?> task) {
        try {
            task.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RebuildException("interrupted");
        }
    }

    private void read(Extent extent, Reader reader) {
        Map<String, Object> own = new HashMap<>(settings);
        own.put(ConsumerConfig.CLIENT_ID_CONFIG, "runcast-rebuild-" + extent.partition.partition());
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(own)) {
            consumer.assign(List.of(extent.partition));
            consumer.seek(extent.partition, extent.begin);
            // By position and not by record: a transaction's marks have offsets too.
            while (consumer.position(extent.partition) < extent.end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() < extent.end) {
                        reader.take(record);
                    }
                }
            }
        }
        reader.end();
    }
}
