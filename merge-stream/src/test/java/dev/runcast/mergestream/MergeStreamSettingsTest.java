package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.mergestream.MergeStreamSettings.WatchdogSettings;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.KafkaSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.util.unit.DataSize;

class MergeStreamSettingsTest {
    @Test
    void theDefaultsAreTheDocumentedOnes() {
        assertThat(merge(Map.of()))
                .isEqualTo(new MergeStreamSettings(
                        "runcast-merge",
                        Path.of("data/merge-stream"),
                        2,
                        Duration.ofSeconds(1),
                        DataSize.ofMegabytes(64),
                        Duration.ofSeconds(10),
                        null,
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(5),
                        new WatchdogSettings(
                                true, Duration.ofSeconds(60), Duration.ofHours(24), Duration.ofSeconds(5))));
        assertThat(new Binder(new MapConfigurationPropertySource(Map.of()))
                        .bindOrCreate("runcast.kafka", KafkaSettings.class))
                .isEqualTo(new KafkaSettings("localhost:9092", Map.of(), 4, 1, Duration.ofSeconds(30)));
    }

    @Test
    void noThreadIsRefused() {
        refused(Map.of("threads", "0"), "runcast.merge.threads: 0 (expected: 1 or greater)");
    }

    @Test
    void tooLittleMemoryIsRefused() {
        refused(Map.of("rocksdb-memory", "1MB"), "runcast.merge.rocksdb-memory: 1048576B (expected: 8MB or greater)");
    }

    @Test
    void aCommitIntervalThatTheTransactionTimeoutWouldCutOffIsRefused() {
        refused(Map.of("commit-interval", "10s"), "runcast.merge.commit-interval: PT10S (expected: less than PT10S)");
    }

    @Test
    void losingBeforeStallingIsRefused() {
        refused(
                Map.of("watchdog.lost-after", "30s"),
                "runcast.merge.watchdog.lost-after: PT30S (expected: longer than stalled-after, PT1M)");
    }

    @Test
    void lookingMoreSeldomThanTheTimeThatIsJudgedIsRefused() {
        refused(
                Map.of("watchdog.interval", "2m"),
                "runcast.merge.watchdog.stalled-after: PT1M (expected: the interval, PT2M, or longer)");
    }

    @Test
    void anOperatorsKafkaPropertyReachesTheClientsOfTheStreamWithoutAPrefixToo() {
        assertThat(streams(Map.of()).getProducerConfigs("merge-producer"))
                .containsEntry("compression.type", "lz4")
                .containsEntry("linger.ms", 1L);
        StreamsConfig operators = streams(Map.of(
                "compression.type", "none",
                "linger.ms", "7",
                "producer.batch.size", "4096",
                "max.partition.fetch.bytes", "2097152"));
        assertThat(operators.getProducerConfigs("merge-producer"))
                .containsEntry("compression.type", "none")
                .containsEntry("linger.ms", "7")
                .containsEntry("batch.size", "4096");
        assertThat(operators.getMainConsumerConfigs("merge", "merge-consumer", 0))
                .containsEntry("max.partition.fetch.bytes", "2097152");
    }

    private static MergeStreamSettings merge(Map<String, String> properties) {
        Map<String, String> full = new HashMap<>();
        properties.forEach((name, value) -> full.put("runcast.merge." + name, value));
        return new Binder(new MapConfigurationPropertySource(full))
                .bindOrCreate("runcast.merge", MergeStreamSettings.class);
    }

    private static void refused(Map<String, String> properties, String message) {
        assertThatThrownBy(() -> merge(properties)).hasRootCauseMessage(message);
    }

    private static StreamsConfig streams(Map<String, String> properties) {
        return new StreamsConfig(new ClientSettings("broker:9092", properties).streams("merge", 1));
    }
}
