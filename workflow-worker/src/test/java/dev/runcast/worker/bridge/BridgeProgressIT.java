package dev.runcast.worker.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.topics.TopicLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BridgeProgressIT {
    private static final String GROUP = "bridge-group";
    private static final TopicPartition PARTITION = new TopicPartition(Topic.CHANGES.topicName(), 0);

    @TempDir
    private Path folder;

    private EmbeddedKafka kafka;
    private ClientSettings clients;
    private KafkaProducer<byte[], byte[]> merge;
    private BridgeProgress progress;

    @BeforeEach
    void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder));
        clients = new ClientSettings(kafka.bootstrapServers());
        TopicAdministration.ensure(clients, new TopicLayout(1, 1), Duration.ofSeconds(30));
        Map<String, Object> settings = clients.producer("merge", Duration.ZERO, Duration.ofSeconds(30));
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "merge");
        merge = new KafkaProducer<>(settings);
        merge.initTransactions();
        progress = new BridgeProgress(clients, GROUP);
    }

    @AfterEach
    void stop() {
        progress.close();
        merge.close();
        kafka.close();
    }

    @Test
    void marksOfTransactionsBehindWhatWasDoneAreNothingToDo() {
        inATransaction(2);
        BridgeProgress.Mark end = progress.end();
        assertThat(end.ends()).containsEntry(PARTITION, 3L);
        assertThat(progress.hasPassed(end)).isFalse();
        done(1);
        assertThat(progress.hasPassed(end)).isFalse();
        done(2);
        assertThat(progress.hasPassed(end)).isTrue();
        inATransaction(1);
        assertThat(progress.hasPassed(end))
                .as("what came later is not asked for")
                .isTrue();
        assertThat(progress.hasPassed(progress.end())).isFalse();
    }

    @Test
    void feedWithoutARecordHasBeenPassed() {
        assertThat(progress.hasPassed(progress.end())).isTrue();
    }

    private void inATransaction(int records) {
        merge.beginTransaction();
        for (int i = 0; i < records; i++) {
            merge.send(new ProducerRecord<>(PARTITION.topic(), PARTITION.partition(), new byte[1], new byte[1]));
        }
        merge.commitTransaction();
    }

    /** As the bridge commits: behind the last record that it has done. */
    private void done(long offset) {
        try (KafkaConsumer<byte[], byte[]> bridge =
                new KafkaConsumer<>(clients.consumer("bridge", GROUP, Isolation.UNCOMMITTED))) {
            bridge.commitSync(Map.of(PARTITION, new OffsetAndMetadata(offset)));
        }
    }
}
