package dev.runcast.topics;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * How every client of Runcast talks to Kafka, in one place. Keys and values are bytes everywhere;
 * {@link RecordCodec} gives them their meaning.
 *
 * @param bootstrapServers brokers to begin with, {@code host:port} separated by commas
 * @param properties what every client gets besides, such as TLS and SASL settings; wins over what is
 *     set here, also where Kafka Streams hands it on to its clients
 */
public record ClientSettings(String bootstrapServers, Map<String, String> properties) {
    /*
     * Measured on two cores (client, broker and consumers together): batches of 256 KiB with a linger of
     * 0 to 2 ms carry 1.5 to 2 times what the 16 KiB default carries and cost no latency, because a
     * linger only waits while there is nothing in flight to wait for. What hurts latency is a long linger
     * (Kafka Streams' own default is 100 ms).
     */
    private static final int BATCH_BYTES = 256 * 1024;

    /*
     * Full batches carry a quarter more with it, over a network more than that. It takes two new buffers of 64 KiB for
     * each batch, however small, so the local stack goes without.
     */
    private static final String COMPRESSION = "lz4";

    /*
     * One update makes four to six records, to as many topics. Without a linger nearly each of them leaves in a batch
     * and a request of its own, and most of the stream thread's time in the producer goes into beginning batches. A
     * millisecond of company is what people who watch do not feel.
     */
    private static final long STREAMS_LINGER_MS = 1;

    /*
     * What comes while a request is on its way leaves together with the next one: nobody waits when there is little to
     * do, and batches grow with the load. With the usual five, single updates leave in requests of their own, which cost
     * a broker and its readers more than the updates do.
     */
    private static final int IN_FLIGHT = 1;

    private static final Duration KEEP_METADATA = Duration.ofDays(7);

    /** Checks that there is a broker to begin with. */
    public ClientSettings {
        if (bootstrapServers.isBlank()) {
            throw new IllegalArgumentException("bootstrapServers: empty (expected: host:port, separated by commas)");
        }
        properties = Map.copyOf(properties);
    }

    /** Settings without further properties. */
    public ClientSettings(String bootstrapServers) {
        this(bootstrapServers, Map.of());
    }

    /** Settings for an {@code Admin} client. */
    public Map<String, Object> admin(String clientId) {
        return finish(common(clientId));
    }

    /**
     * Settings for an idempotent producer that waits for all in-sync replicas.
     *
     * @param linger how long a batch may wait for company, 0 to 2 ms for what people watch
     * @param deliveryTimeout after this a record that is not acked has failed; at least a second
     */
    public Map<String, Object> producer(String clientId, Duration linger, Duration deliveryTimeout) {
        if (deliveryTimeout.compareTo(Duration.ofSeconds(1)) < 0) {
            throw new IllegalArgumentException(
                    "deliveryTimeout: " + deliveryTimeout + " (expected: a second or longer)");
        }
        Map<String, Object> settings = common(clientId);
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.ACKS_CONFIG, "all");
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, IN_FLIGHT);
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, COMPRESSION);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_BYTES);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, linger.toMillis());
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Topic.MAX_RECORD_BYTES);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, Math.toIntExact(deliveryTimeout.toMillis()));
        // One try must leave room for another within the delivery timeout.
        long request = Math.min(10_000, deliveryTimeout.toMillis() / 2);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.toIntExact(request));
        // Forgotten topics would make send() wait for the brokers, which may be away. It waits for a topic that has
        // not been heard of yet only, and then not for long.
        settings.put(ProducerConfig.METADATA_MAX_IDLE_CONFIG, KEEP_METADATA.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 1000L);
        settings.put(ProducerConfig.RETRY_BACKOFF_MS_CONFIG, 50L);
        settings.put(ProducerConfig.RETRY_BACKOFF_MAX_MS_CONFIG, 1000L);
        return finish(settings);
    }

    /**
     * Settings for a consumer that commits by itself when it is done with what it read.
     *
     * @param groupId the consumer group; null for a reader that assigns partitions itself and commits
     *     nothing
     */
    public Map<String, Object> consumer(String clientId, @Nullable String groupId, Isolation isolation) {
        Map<String, Object> settings = common(clientId);
        settings.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        settings.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
        if (groupId != null) {
            settings.put(ConsumerConfig.GROUP_ID_CONFIG, groupId);
        }
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, isolation.configValue());
        settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Topic.MAX_RECORD_BYTES);
        return finish(settings);
    }

    /**
     * The same for a reader that nobody watches: it asks the brokers some times a second and not for each record.
     *
     * @param company how long a fetch may wait for a mebibyte of records, 1 ms to a second; what is there is returned
     *     then
     */
    public Map<String, Object> consumer(
            String clientId, @Nullable String groupId, Isolation isolation, Duration company) {
        if (company.toMillis() < 1 || company.toMillis() > 1000) {
            throw new IllegalArgumentException("company: " + company + " (expected: PT0.001S to PT1S)");
        }
        Map<String, Object> settings = consumer(clientId, groupId, isolation);
        settings.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1024 * 1024);
        settings.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, (int) company.toMillis());
        return finish(settings);
    }

    /**
     * The settings that a Kafka Streams application of Runcast begins with: exactly once, a commit each
     * second, no record cache, and the producer and consumer settings of above. The application adds its
     * state directory, threads and RocksDB configuration.
     *
     * @param replicationFactor of the changelogs
     */
    public Map<String, Object> streams(String applicationId, int replicationFactor) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put("application.id", applicationId);
        settings.put("processing.guarantee", "exactly_once_v2");
        // The commit blocks the stream thread, and live readers do not wait for it.
        settings.put("commit.interval.ms", 1000L);
        settings.put("statestore.cache.max.bytes", 0L);
        settings.put("replication.factor", replicationFactor);
        settings.put("topic.max.message.bytes", Topic.MAX_RECORD_BYTES);
        settings.put("topic.min.insync.replicas", Math.max(1, replicationFactor - 1));
        settings.put("producer.acks", "all");
        settings.put("producer.compression.type", COMPRESSION);
        settings.put("producer.batch.size", BATCH_BYTES);
        settings.put("producer.linger.ms", STREAMS_LINGER_MS);
        settings.put("producer.max.in.flight.requests.per.connection", IN_FLIGHT);
        settings.put("producer.max.request.size", Topic.MAX_CHANGE_BYTES);
        // Has to hold the largest record; memory is taken only when it is used.
        settings.put("producer.buffer.memory", 2L * Topic.MAX_CHANGE_BYTES);
        settings.put("consumer.max.partition.fetch.bytes", Topic.MAX_RECORD_BYTES);
        settings.put("consumer.auto.offset.reset", "earliest");
        return finish(settings);
    }

    private Map<String, Object> common(String clientId) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        settings.put(CommonClientConfigs.CLIENT_ID_CONFIG, clientId);
        settings.put(CommonClientConfigs.RECONNECT_BACKOFF_MAX_MS_CONFIG, 1000L);
        // Several services of one JVM would otherwise fight for one JMX name; metrics go through Micrometer.
        settings.put(CommonClientConfigs.METRIC_REPORTER_CLASSES_CONFIG, List.of());
        return settings;
    }

    private Map<String, Object> finish(Map<String, Object> settings) {
        // Kafka Streams prefers a name with the client's prefix: one of ours would win over an operator's without.
        properties.keySet().forEach(name -> {
            settings.remove("producer." + name);
            settings.remove("consumer." + name);
        });
        settings.putAll(properties);
        return settings;
    }
}
