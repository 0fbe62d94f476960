package dev.runcast.benchmarks;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.runcast.sink.Rebuild;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** How fast the log is folded again. */
final class RebuildRow implements Row {
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @Override
    public String name() {
        return "rebuild";
    }

    @Override
    public String about() {
        return "updates a rebuild folds a second, beside consumers that only parse the same log";
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
                "%,d updates, 20 in a record, folded into a store that takes all and keeps nothing; beside it consumers"
                                .formatted(log.updates())
                        + " with the same settings that only parse each record. A partition on each core, broker and"
                        + " both in this process."));
    }

    private static double rebuild(FilledLog log) {
        ForgetfulStore store = new ForgetfulStore();
        long began = System.nanoTime();
        new Rebuild(log.clients(), store, Duration.ZERO).replace((step, done, all) -> {});
        double seconds = (System.nanoTime() - began) / 1e9;
        if (store.changes() < log.updates()) {
            throw new IllegalStateException(
                    "changes: %,d of %,d updates (expected: one of each)".formatted(store.changes(), log.updates()));
        }
        return log.updates() / seconds;
    }

    private static double parse(FilledLog log) throws Exception {
        Map<String, Object> settings = log.clients().consumer("bench-parse", null, Isolation.COMMITTED);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 2_000);
        long began = System.nanoTime();
        Map<TopicPartition, Long> ends;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topic.UPDATES.topicName()).stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            ends = consumer.endOffsets(partitions);
        }
        long updates = 0;
        ExecutorService threads = Executors.newFixedThreadPool(
                Math.min(ends.size(), Runtime.getRuntime().availableProcessors()));
        try {
            List<Future<Long>> counts = new ArrayList<>();
            ends.forEach((partition, end) -> counts.add(threads.submit(() -> parse(settings, partition, end))));
            for (Future<Long> count : counts) {
                updates += count.get();
            }
        } finally {
            threads.shutdownNow();
        }
        if (updates < log.updates()) {
            throw new IllegalStateException(
                    "parsed: %,d of %,d updates (expected: all)".formatted(updates, log.updates()));
        }
        return updates / ((System.nanoTime() - began) / 1e9);
    }

    private static long parse(Map<String, Object> settings, TopicPartition partition, long end)
            throws InvalidProtocolBufferException {
        Map<String, Object> own = new HashMap<>(settings);
        own.put(ConsumerConfig.CLIENT_ID_CONFIG, "bench-parse-" + partition.partition());
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        long updates = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(own)) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    updates += UpdateBatch.parseFrom(record.value()).getUpdatesCount();
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("%s: not parsed within %s".formatted(partition, PATIENCE));
                }
            }
        }
        return updates;
    }
}
