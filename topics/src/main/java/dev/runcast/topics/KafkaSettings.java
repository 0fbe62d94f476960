package dev.runcast.topics;

import java.time.Duration;
import java.util.Map;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where Kafka is, and how missing topics are created: the same properties in every service that speaks to it.
 *
 * @param bootstrapServers brokers to begin with, {@code host:port} separated by commas
 * @param properties what every client gets besides, such as TLS and SASL settings
 * @param partitions of topics that do not exist yet, 1 to 10,000; it can never be changed afterwards
 * @param replicationFactor of topics, changelogs included, that do not exist yet, 1 or greater
 * @param timeout the longest that a call to the brokers may take while the service starts
 */
@ConfigurationProperties("runcast.kafka")
public record KafkaSettings(
        @DefaultValue("localhost:9092") String bootstrapServers,
        @DefaultValue Map<String, String> properties,
        @DefaultValue("4") int partitions,
        @DefaultValue("1") int replicationFactor,
        @DefaultValue("30s") Duration timeout) {
    /** @throws IllegalArgumentException when a value is out of range */
    public KafkaSettings {
        if (timeout.isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException(
                    "runcast.kafka.timeout: " + timeout + " (expected: longer than nothing)");
        }
        properties = Map.copyOf(properties);
        // Both check what they are given.
        new TopicLayout(partitions, replicationFactor);
        new ClientSettings(bootstrapServers, properties);
    }

    /** For building clients. */
    public ClientSettings clients() {
        return new ClientSettings(bootstrapServers, properties);
    }

    /** For creating topics. */
    public TopicLayout layout() {
        return new TopicLayout(partitions, replicationFactor);
    }
}
