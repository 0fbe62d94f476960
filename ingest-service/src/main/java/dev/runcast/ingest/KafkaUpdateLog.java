package dev.runcast.ingest;

import com.google.protobuf.Message;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log in Kafka: one idempotent producer, acked by all in-sync replicas. An update is durable when the
 * producer's callback says so, and not before.
 */
final class KafkaUpdateLog implements UpdateLog {
    private static final Logger log = LoggerFactory.getLogger(KafkaUpdateLog.class);

    /*
     * What is in flight is bounded before it comes here, so that the producer's memory is never the bound
     * and send() does not wait for it. The producer takes memory in whole batches of 256 KiB: for each
     * partition one that fills and five under way, on top of what is counted.
     */
    private static final long BATCH_BYTES = 256 * 1024;

    private static final int BATCHES_PER_PARTITION = 6;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final KafkaProducer<byte[], byte[]> producer;

    KafkaUpdateLog(KafkaSettings kafka, IngestSettings settings, int partitions) {
        Map<String, Object> properties =
                kafka.clients().producer("runcast-ingest", settings.linger(), settings.deliveryTimeout());
        properties.put(
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                settings.inFlight().total().toBytes() + BATCH_BYTES * BATCHES_PER_PARTITION * partitions);
        this.producer = new KafkaProducer<>(properties);
        producer.partitionsFor(Topic.UPDATES.topicName());
        producer.partitionsFor(Topic.HEARTBEATS.topicName());
    }

    @Override
    public void append(UpdateBatch batch, Landing landing) {
        send(RecordCodec.UPDATES, batch, landing);
    }

    @Override
    public void heartbeat(Heartbeat heartbeat, Landing landing) {
        send(RecordCodec.HEARTBEATS, heartbeat, landing);
    }

    private <T extends Message> void send(RecordCodec<T> codec, T value, Landing landing) {
        try {
            producer.send(codec.record(value), (metadata, failure) -> {
                if (failure == null) {
                    landing.landed();
                } else {
                    landing.failed(failure);
                }
            });
        } catch (KafkaException | IllegalStateException e) {
            log.warn("Kafka took no record for {}: {}", codec.topic().topicName(), e.toString());
            landing.failed(e);
        }
    }

    @Override
    public void close() {
        producer.close(CLOSE_TIMEOUT);
    }
}
