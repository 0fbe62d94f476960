package dev.runcast.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoredEntry;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;

/** What the sink's tests share. */
final class SinkTesting {
    private SinkTesting() {}

    /** The store must have all of a run, and nothing else of it. */
    static void assertStored(ExecutionStore store, RunLog run) {
        assertThat(store.execution(run.key()).block()).as("%s", run.key()).isEqualTo(run.execution());
        assertThat(store.entries(run.execution(), 0)
                        .map(StoredEntry::filled)
                        .collectList()
                        .block())
                .isEqualTo(run.entries());
        assertThat(store.changes(run.key(), 0, Long.MAX_VALUE).collectList().block())
                .isEqualTo(run.changes().stream()
                        .flatMap(batch -> batch.getChangesList().stream())
                        .toList())
                .extracting(Change::getVersion)
                .last()
                .isEqualTo(run.version());
    }

    /** Until the live reader has all its partitions: it begins at their ends, so what came before is not for it. */
    static void awaitPositions(ConfigurableApplicationContext sink) {
        ConcurrentMessageListenerContainer<?, ?> live =
                sink.getBean("redisFeed", ConcurrentMessageListenerContainer.class);
        await().atMost(Duration.ofSeconds(30))
                .until(() ->
                        Objects.requireNonNull(live.getAssignedPartitions()).size() == 4);
    }

    static ConsumerRecord<byte[], byte[]> record(int partition, long offset, ChangeBatch batch) {
        byte[] key =
                (batch.getTenant() + '/' + batch.getExecutionId()).getBytes(java.nio.charset.StandardCharsets.UTF_8);
        return record(partition, offset, key, batch.toByteArray(), System.currentTimeMillis());
    }

    static ConsumerRecord<byte[], byte[]> record(int partition, long offset, byte[] key, byte[] value, long timestamp) {
        return new ConsumerRecord<>(
                Topic.CHANGES.topicName(),
                partition,
                offset,
                timestamp,
                TimestampType.CREATE_TIME,
                0,
                0,
                key,
                value,
                new RecordHeaders(),
                Optional.empty());
    }
}
