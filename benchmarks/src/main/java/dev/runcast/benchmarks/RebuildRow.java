package dev.runcast.benchmarks;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.runcast.sink.StoreRepair;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** How fast the log is folded again. */
final class RebuildRow implements Row {
    @Override
    public String name() {
        return "rebuild";
    }

    @Override
    public String about() {
        return "updates a rebuild folds a second, beside a consumer that only parses the same log";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        FilledLog log = bench.batches();
        Duel duel = Duel.fight(bench, "rebuild", Unit.PER_SECOND, () -> parse(log), () -> rebuild(log));
        return List.of(new Figure(
                name(),
                "rebuild: updates folded/s",
                Unit.PER_SECOND,
                duel.ours(),
                duel.rival(),
                duel.ratio(),
                List.of(Goal.atLeast(300_000), Goal.ratioAtLeast(0.5)),
                "%,d updates, 20 in a record, folded into a store that takes all and keeps nothing; beside it a consumer"
                                .formatted(log.updates())
                        + " with the same settings that parses each record. Broker and both in this process."));
    }

    private static double rebuild(FilledLog log) {
        ForgetfulStore store = new ForgetfulStore();
        long began = System.nanoTime();
        new StoreRepair(log.clients(), store).run(progress -> {});
        double seconds = (System.nanoTime() - began) / 1e9;
        if (store.changes() < log.updates()) {
            throw new IllegalStateException(
                    "changes: %,d of %,d updates (expected: one of each)".formatted(store.changes(), log.updates()));
        }
        return log.updates() / seconds;
    }

    private static double parse(FilledLog log) throws InvalidProtocolBufferException {
        ClientSettings clients = log.clients();
        Map<String, Object> settings = clients.consumer("bench-parse", null, Isolation.COMMITTED);
        long began = System.nanoTime();
        long updates = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topic.UPDATES.topicName()).stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long deadline = began + Duration.ofSeconds(60).toNanos();
            while (updates < log.updates()) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    updates += UpdateBatch.parseFrom(record.value()).getUpdatesCount();
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("parsed %,d of %,d updates within a minute (expected: all)"
                            .formatted(updates, log.updates()));
                }
            }
        }
        return updates / ((System.nanoTime() - began) / 1e9);
    }
}
