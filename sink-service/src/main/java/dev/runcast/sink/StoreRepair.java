package dev.runcast.sink;

import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/**
 * Gives a store back what it lost: merges the whole log of updates again and writes every change that comes of it. For a
 * server that may lose acknowledged writes at an unclean stop, as the embedded one does. The merge is deterministic, so
 * what was not lost is written over with the same.
 *
 * <p>To be run before anybody reads the store and before the sink starts: on the way, executions stand at older versions
 * than before. If it is broken off it must be run again.
 *
 * <p>One partition after the other, with the merge's state in memory: entries, not texts, of what has not expired.
 */
public final class StoreRepair {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final long BYTES_AT_ONCE = 4L * 1024 * 1024;
    private static final int RECORDS_AT_ONCE = 2_000;
    private static final int EXPIRE_EVERY = 5_000;
    private static final Duration REJECTED_KEPT = Topic.REJECTED.retention();

    private final ClientSettings kafka;
    private final ExecutionStore store;
    private final InstantSource clock;

    /** @param kafka where the log is; its topics exist */
    public StoreRepair(ClientSettings kafka, ExecutionStore store) {
        this(kafka, store, InstantSource.system());
    }

    StoreRepair(ClientSettings kafka, ExecutionStore store, InstantSource clock) {
        this.kafka = kafka;
        this.store = store;
        this.clock = clock;
    }

    /**
     * How far it is.
     *
     * @param read records of the log that were read
     * @param all records there were to read when it began
     * @param executions executions that were written
     * @param changes changes that were written
     */
    public record Progress(long read, long all, long executions, long changes) {}

    /**
     * Repairs. Blocks until everything is written that was in the log when it began.
     *
     * @param watcher is told now and then, on the calling thread, and at the end
     * @return what was done
     * @throws IllegalStateException when the log holds rules that this build does not know
     * @throws RuntimeException of Kafka's or the store's client when one of them cannot be reached
     */
    public Progress run(Consumer<Progress> watcher) {
        store.prepare().block();
        Map<String, Object> settings = kafka.consumer("runcast-repair", null, Isolation.COMMITTED);
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(settings)) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (PartitionInfo partition : consumer.partitionsFor(Topic.UPDATES.topicName())) {
                partitions.add(new TopicPartition(partition.topic(), partition.partition()));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            consumer.pause(partitions);
            Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Run run = new Run(watcher);
            for (TopicPartition partition : partitions) {
                run.all += ends.getOrDefault(partition, 0L) - begins.getOrDefault(partition, 0L);
            }
            for (TopicPartition partition : partitions) {
                consumer.resume(List.of(partition));
                run.partition(consumer, partition, ends.getOrDefault(partition, 0L));
                consumer.pause(List.of(partition));
            }
            return run.tell();
        }
    }

    /** One repair on its way. */
    private final class Run {
        private final Consumer<Progress> watcher;
        private final List<RejectedUpdate> rejected = new ArrayList<>();
        private final ChangeFold fold = new ChangeFold(Map.of());
        private ReplayState state = new ReplayState();
        private Instant logTime = Instant.EPOCH;
        private long folded;
        private long read;
        private long all;
        private long changes;

        Run(Consumer<Progress> watcher) {
            this.watcher = watcher;
        }

        void partition(KafkaConsumer<byte[], byte[]> consumer, TopicPartition partition, long end) {
            state = new ReplayState();
            logTime = Instant.EPOCH;
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() < end) {
                        merge(record);
                    }
                }
            }
            write();
        }

        private void merge(ConsumerRecord<byte[], byte[]> record) {
            read++;
            // What is not an update was rejected as it came by, and has no part in any state.
            if (RecordCodec.UPDATES.decode(record.key(), record.value())
                    instanceof Decoded.Value<UpdateBatch> readable) {
                merge(record, readable.value());
            }
            if (++folded >= RECORDS_AT_ONCE || fold.bytes() >= BYTES_AT_ONCE) {
                write();
            }
        }

        private void merge(ConsumerRecord<byte[], byte[]> record, UpdateBatch batch) {
            if (batch.getRules() > Merge.NEWEST_RULES) {
                throw new IllegalStateException("%s: rules %d (expected: at most %d, which this build knows)"
                        .formatted(RecordCodec.position(record), batch.getRules(), Merge.NEWEST_RULES));
            }
            MergeResult result = Merge.apply(state, batch);
            state.write(result.writes());
            result.changes().forEach(this::take);
            result.rejections().forEach(rejection -> take(rejection, record));
            expire(batch);
        }

        private void take(ChangeBatch batch) {
            if (!(fold.add(batch) instanceof ChangeFold.Added.Taken)) {
                throw new IllegalStateException("changes of %s/%s: not consecutive (expected: all from version 1)"
                        .formatted(batch.getTenant(), batch.getExecutionId()));
            }
        }

        private void take(RejectedUpdate rejection, ConsumerRecord<byte[], byte[]> record) {
            Instant receivedAt = Instant.ofEpochSecond(rejection.getReceivedAt().getSeconds());
            if (receivedAt.isAfter(clock.instant().minus(REJECTED_KEPT))) {
                rejected.add(rejection.toBuilder()
                        .setPartition(record.partition())
                        .setOffset(record.offset())
                        .build());
            }
        }

        private void expire(UpdateBatch batch) {
            Instant receivedAt = Instant.ofEpochSecond(batch.getReceivedAt().getSeconds());
            if (receivedAt.isAfter(logTime) && !receivedAt.isAfter(clock.instant())) {
                logTime = receivedAt;
            }
            if (read % EXPIRE_EVERY == 0) {
                state.write(Merge.expire(state, logTime, EXPIRE_EVERY));
            }
        }

        private void write() {
            List<ChangeBatch> batches = fold.changes();
            store.write(new StoreWrite(batches, rejected, List.of())).block();
            batches.forEach(batch -> changes += batch.getChangesCount());
            fold.written();
            rejected.clear();
            folded = 0;
            tell();
        }

        private Progress tell() {
            Progress progress = new Progress(read, all, fold.versions().size(), changes);
            watcher.accept(progress);
            return progress;
        }
    }
}
