package dev.runcast.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.junit.jupiter.api.Test;

class ClientSettingsTest {
    private final ClientSettings settings = new ClientSettings("broker:9092");

    @Test
    void producerIsIdempotentAndWaitsForAllReplicas() {
        Map<String, Object> producer = settings.producer("test", Duration.ZERO, Duration.ofSeconds(30));
        assertThat(producer)
                .containsEntry("bootstrap.servers", "broker:9092")
                .containsEntry("acks", "all")
                .containsEntry("enable.idempotence", true)
                .containsEntry("compression.type", "lz4")
                .containsEntry("batch.size", 262_144)
                .containsEntry("linger.ms", 0L)
                .containsEntry("max.request.size", 4_194_304)
                .containsEntry("delivery.timeout.ms", 30_000);
        new ProducerConfig(producer);
    }

    @Test
    void producerSettingsFitTogetherHoweverShortTheDeliveryTimeoutIs() {
        new ProducerConfig(settings.producer("test", Duration.ofMillis(2), Duration.ofSeconds(1)));
        assertThatThrownBy(() -> settings.producer("test", Duration.ZERO, Duration.ofMillis(999)))
                .hasMessage("deliveryTimeout: PT0.999S (expected: a second or longer)");
    }

    @Test
    void consumerCommitsByHandAndSaysWhichRecordsItSees() {
        Map<String, Object> consumer = settings.consumer("test", "group", Isolation.COMMITTED);
        assertThat(consumer)
                .containsEntry("group.id", "group")
                .containsEntry("enable.auto.commit", false)
                .containsEntry("isolation.level", "read_committed")
                .containsEntry("auto.offset.reset", "earliest");
        new ConsumerConfig(consumer);
        assertThat(settings.consumer("test", null, Isolation.UNCOMMITTED))
                .containsEntry("isolation.level", "read_uncommitted")
                .doesNotContainKey("group.id");
    }

    @Test
    void streamsRunExactlyOnceAndCommitOnceASecond() {
        assertThat(settings.streams("merge", 3))
                .containsEntry("application.id", "merge")
                .containsEntry("processing.guarantee", "exactly_once_v2")
                .containsEntry("commit.interval.ms", 1000L)
                .containsEntry("statestore.cache.max.bytes", 0L)
                .containsEntry("producer.linger.ms", 1L)
                .containsEntry("topic.min.insync.replicas", 2);
    }

    @Test
    void operatorsPropertiesWin() {
        ClientSettings secured = new ClientSettings("broker:9093", Map.of("security.protocol", "SSL", "acks", "1"));
        assertThat(secured.admin("test")).containsEntry("security.protocol", "SSL");
        assertThat(secured.producer("test", Duration.ZERO, Duration.ofSeconds(30)))
                .containsEntry("acks", "1");
    }

    @Test
    void noBrokerIsRefused() {
        assertThatThrownBy(() -> new ClientSettings(" "))
                .hasMessage("bootstrapServers: empty (expected: host:port, separated by commas)");
    }
}
