package dev.runcast.sink;

import static dev.runcast.sink.SinkTesting.record;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.InMemoryChangeBell;
import dev.runcast.store.Ring;
import dev.runcast.topics.Topic;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class RedisPublisherTest {
    private static final TopicPartition FIRST = new TopicPartition(Topic.CHANGES.topicName(), 0);
    private static final TopicPartition SECOND = new TopicPartition(Topic.CHANGES.topicName(), 1);

    private final InMemoryChangeBell bell = new InMemoryChangeBell();
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("latest");

    @BeforeEach
    void assign() {
        consumer.assign(List.of(FIRST, SECOND));
        consumer.updateEndOffsets(Map.of(FIRST, 500L, SECOND, 500L));
        consumer.seek(FIRST, 10);
        consumer.seek(SECOND, 10);
    }

    @Test
    void everyChangeRingsInOrderAndEachRowOnce() {
        RunLog run = RunLog.of("a", 10);
        List<Ring> heard = new ArrayList<>();
        List<Ring> rows = new ArrayList<>();
        bell.listen(run.key()).subscribe(heard::add);
        bell.listenRows("default").subscribe(rows::add);
        publisher(bell).onMessage(feed(0, run, System.currentTimeMillis()), consumer);
        List<Ring> expected = new ArrayList<>();
        expected.add(new Ring.Subscribed());
        run.changes().forEach(batch -> expected.add(new Ring.Changes(batch)));
        assertThat(heard).isEqualTo(expected);
        assertThat(rows).hasSize(2);
        Execution row = ((Ring.Row) rows.get(1)).execution();
        assertThat(row.getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(row.getVersion()).isEqualTo(run.version());
        assertThat(row.getExecutionId()).isEqualTo("a");
        assertThat(row.getSpec().getAgent()).isEqualTo("planner");
    }

    @Test
    void whoIsTooFarBehindGoesOnAtTheEndOfThatPartition() {
        RunLog old = RunLog.of("old", 3);
        RunLog fresh = RunLog.of("fresh", 3);
        List<Ring> heard = new ArrayList<>();
        bell.listen(old.key()).subscribe(heard::add);
        bell.listen(fresh.key()).subscribe(heard::add);
        List<ConsumerRecord<byte[], byte[]>> records =
                new ArrayList<>(feed(0, old, System.currentTimeMillis() - 6_000));
        records.addAll(feed(1, fresh, System.currentTimeMillis() - 1_000));
        publisher(bell).onMessage(records, consumer);
        assertThat(heard).hasSize(2 + fresh.changes().size());
        assertThat(consumer.position(FIRST)).isEqualTo(500);
        assertThat(consumer.position(SECOND)).isEqualTo(10);
    }

    @Test
    void bellThatIsDownStopsNothing() {
        ChangeBell down = new ChangeBell() {
            @Override
            public Mono<Void> publish(ChangeBatch batch) {
                return Mono.error(new IllegalStateException("no connection"));
            }

            @Override
            public Mono<Void> publishRow(Execution row) {
                return Mono.error(new IllegalStateException("no connection"));
            }

            @Override
            public Flux<Ring> listen(ExecutionKey key) {
                return Flux.never();
            }

            @Override
            public Flux<Ring> listenRows(String tenant) {
                return Flux.never();
            }
        };
        RunLog run = RunLog.of("a", 3);
        publisher(down).onMessage(feed(0, run, System.currentTimeMillis()), consumer);
        assertThat(registry.counter("runcast.sink.rings.lost", "feed", "redis").count())
                .isPositive();
    }

    @Test
    void poisonIsPassedOver() {
        RunLog run = RunLog.of("a", 2);
        List<Ring> heard = new ArrayList<>();
        bell.listen(run.key()).subscribe(heard::add);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>(feed(0, run, System.currentTimeMillis()));
        records.add(0, record(0, 7, "x".getBytes(UTF_8), new byte[] {9}, System.currentTimeMillis()));
        records.add(0, record(0, 8, null, null, System.currentTimeMillis()));
        publisher(bell).onMessage(records, consumer);
        assertThat(heard).hasSize(1 + run.changes().size());
    }

    private RedisPublisher publisher(ChangeBell to) {
        return new RedisPublisher(
                to,
                new FeedProgress("redis", InstantSource.system(), registry),
                InstantSource.system(),
                Duration.ofSeconds(5),
                Duration.ofSeconds(5));
    }

    private static List<ConsumerRecord<byte[], byte[]>> feed(int partition, RunLog run, long timestamp) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        run.changes()
                .forEach(batch -> records.add(
                        record(partition, records.size(), run.recordKey(), batch.toByteArray(), timestamp)));
        return records;
    }
}
