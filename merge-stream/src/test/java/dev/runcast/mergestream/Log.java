package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** What a test writes to a broker and reads from it. */
final class Log implements AutoCloseable {
    private final ClientSettings clients;
    private final KafkaProducer<byte[], byte[]> producer;

    Log(EmbeddedKafka kafka) {
        clients = new ClientSettings(kafka.bootstrapServers());
        producer = new KafkaProducer<>(clients.producer("test", Duration.ZERO, Duration.ofSeconds(30)));
    }

    void append(UpdateBatch batch) {
        append(RecordCodec.UPDATES.record(batch));
    }

    void append(Heartbeat heartbeat) {
        append(RecordCodec.HEARTBEATS.record(heartbeat));
    }

    void append(ProducerRecord<byte[], byte[]> record) {
        producer.send(record);
    }

    void flush() {
        producer.flush();
    }

    /** Moves a group without members past the newest record of a partition, as an operator would. */
    void skip(Topic topic, int partition, String group) {
        TopicPartition place = new TopicPartition(topic.topicName(), partition);
        try (Admin admin = Admin.create(clients.admin("test-admin"))) {
            // The members that died have not left; the group is empty when their sessions are over.
            await().atMost(Duration.ofSeconds(30)).ignoreExceptions().untilAsserted(() -> {
                long end = admin.listOffsets(Map.of(place, OffsetSpec.latest()))
                        .partitionResult(place)
                        .get()
                        .offset();
                admin.alterConsumerGroupOffsets(group, Map.of(place, new OffsetAndMetadata(end)))
                        .all()
                        .get();
            });
        }
    }

    Reader read(Topic topic, Isolation isolation) {
        return new Reader(topic, isolation);
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }

    /** Everything of one topic from its beginning. */
    final class Reader implements AutoCloseable {
        private final KafkaConsumer<byte[], byte[]> consumer;
        final List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();

        private Reader(Topic topic, Isolation isolation) {
            consumer = new KafkaConsumer<>(clients.consumer("test-reader", null, isolation));
            List<TopicPartition> partitions = consumer.partitionsFor(topic.topicName()).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        }

        /** Reads on until what has been read satisfies the test, at most 60 s. */
        Reader until(Predicate<Reader> enough) {
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (!enough.test(this)) {
                assertThat(System.nanoTime())
                        .describedAs("only %d records of %s after 60 s", records.size(), consumer.assignment())
                        .isLessThan(deadline);
                poll();
            }
            return this;
        }

        /** Reads what is there now. */
        Reader poll() {
            consumer.poll(Duration.ofMillis(100)).forEach(records::add);
            return this;
        }

        /** By execution, in the order of the log. */
        Map<String, List<Change>> changes() {
            Map<String, List<Change>> changes = new LinkedHashMap<>();
            for (ConsumerRecord<byte[], byte[]> record : records) {
                if (RecordCodec.CHANGES.decode(record.key(), record.value())
                        instanceof Decoded.Value<ChangeBatch> batch) {
                    changes.computeIfAbsent(batch.value().getExecutionId(), id -> new ArrayList<>())
                            .addAll(batch.value().getChangesList());
                } else {
                    throw new AssertionError("a record of ours that cannot be read: " + record);
                }
            }
            return changes;
        }

        long changeCount() {
            return changes().values().stream().mapToLong(List::size).sum();
        }

        @Override
        public void close() {
            consumer.close();
        }
    }
}
