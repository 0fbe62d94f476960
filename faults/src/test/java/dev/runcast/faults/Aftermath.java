package dev.runcast.faults;

import com.google.protobuf.Message;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Ack;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WatchExecutionResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/** Waits until a scenario's updates have gone all the way, and gathers what they left behind. */
final class Aftermath {
    private static final Duration SETTLE = Duration.ofSeconds(60);
    private static final Duration POLL = Duration.ofMillis(200);
    private static final List<Topic> OUTPUTS =
            List.of(Topic.CHANGES, Topic.EXECUTIONS, Topic.REJECTED, Topic.SIGNALS);

    private final Cluster cluster;
    private final Path folder;
    private final String prefix;

    /**
     * @param folder where load and viewers left their files
     * @param prefix what the names of the scenario's executions begin with
     */
    Aftermath(Cluster cluster, Path folder, String prefix) {
        this.cluster = cluster;
        this.folder = folder;
        this.prefix = prefix;
    }

    /** Transactions that are still open though nothing happens any more; waits for them to end. */
    List<String> openTransactions() {
        try (Admin admin = Admin.create(cluster.clients().admin("faults-transactions"))) {
            List<String> open = new ArrayList<>();
            Await.within(SETTLE, () -> {
                open.clear();
                open.addAll(openNow(admin));
                return open.isEmpty();
            });
            return open;
        }
    }

    private static List<String> openNow(Admin admin) {
        try {
            List<String> open = new ArrayList<>();
            for (TransactionListing transaction :
                    admin.listTransactions().all().get()) {
                TransactionState state = transaction.state();
                if (state == TransactionState.ONGOING
                        || state == TransactionState.PREPARE_ABORT
                        || state == TransactionState.PREPARE_COMMIT) {
                    open.add("transaction " + transaction.transactionalId() + " is " + state);
                }
            }
            List<TopicPartition> partitions = partitions(admin, OUTPUTS);
            Map<TopicPartition, ListOffsetsResultInfo> stable = ends(admin, partitions, IsolationLevel.READ_COMMITTED);
            Map<TopicPartition, ListOffsetsResultInfo> last = ends(admin, partitions, IsolationLevel.READ_UNCOMMITTED);
            for (TopicPartition partition : partitions) {
                long committed = stable.get(partition).offset();
                long written = last.get(partition).offset();
                if (committed != written) {
                    open.add("%s: committed readers stand at %d of %d".formatted(partition, committed, written));
                }
            }
            admin.describeProducers(partitions).all().get().forEach((partition, producers) -> producers
                    .activeProducers()
                    .forEach(producer -> producer.currentTransactionStartOffset()
                            .ifPresent(offset -> open.add(
                                    "%s: producer %d has a transaction open since offset %d"
                                            .formatted(partition, producer.producerId(), offset)))));
            return open;
        } catch (ExecutionException e) {
            return List.of("the brokers do not say: " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static Map<TopicPartition, ListOffsetsResultInfo> ends(
            Admin admin, List<TopicPartition> partitions, IsolationLevel isolation)
            throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        partitions.forEach(partition -> wanted.put(partition, OffsetSpec.latest()));
        return admin.listOffsets(wanted, new ListOffsetsOptions(isolation)).all().get();
    }

    private static List<TopicPartition> partitions(Admin admin, List<Topic> topics)
            throws ExecutionException, InterruptedException {
        List<TopicPartition> partitions = new ArrayList<>();
        admin.describeTopics(topics.stream().map(Topic::topicName).toList())
                .allTopicNames()
                .get()
                .values()
                .forEach(topic -> topic.partitions()
                        .forEach(partition -> partitions.add(new TopicPartition(topic.name(), partition.partition()))));
        return partitions;
    }

    /** Everything, once it is all there; what is not there in time is not in it, and for the checker to find. */
    History gather() {
        Map<ExecutionKey, List<History.Logged>> log = new TreeMap<>();
        read(RecordCodec.UPDATES, (key, record) -> log.computeIfAbsent(key, one -> new ArrayList<>())
                .add(new History.Logged(record.partition(), record.offset(), parse(record))));
        Map<ExecutionKey, Long> expected = new HashMap<>();
        log.forEach((key, batches) -> expected.put(key, (long) Folded.of(key, batches).changes().size()));

        Map<ExecutionKey, List<ChangeBatch>> changes = new TreeMap<>();
        Await.within(SETTLE, () -> {
            changes.clear();
            read(RecordCodec.CHANGES, (key, record) -> changes.computeIfAbsent(key, one -> new ArrayList<>())
                    .add(RecordCodec.CHANGES.require(record)));
            return expected.entrySet().stream().allMatch(entry -> lastVersion(changes.get(entry.getKey())) >= entry.getValue());
        });
        List<RejectedUpdate> rejected = new ArrayList<>();
        read(RecordCodec.REJECTED, (key, record) -> rejected.add(RecordCodec.REJECTED.require(record)));
        return new History(
                Records.read(folder.resolve("sent"), UpdateBatch.parser()),
                Records.read(folder.resolve("acked"), Ack.parser()),
                Records.read(folder.resolve("reported"), Snapshot.parser()),
                log,
                changes,
                rejected,
                stored(expected),
                views());
    }

    private Map<ExecutionKey, History.Stored> stored(Map<ExecutionKey, Long> expected) {
        Map<ExecutionKey, History.Stored> stored = new TreeMap<>();
        try (MongoExecutionStore store = cluster.store()) {
            Await.within(SETTLE, () -> {
                Map<ExecutionKey, Long> versions = store.versions(expected.keySet()).block();
                return expected.entrySet().stream()
                        .allMatch(entry -> versions.getOrDefault(entry.getKey(), 0L) >= entry.getValue());
            });
            for (ExecutionKey key : expected.keySet()) {
                Execution execution = store.execution(key).block();
                if (execution != null) {
                    List<Change> history =
                            store.changes(key, 0, Long.MAX_VALUE).collectList().block();
                    stored.put(
                            key,
                            new History.Stored(
                                    execution,
                                    store.entries(execution, 0).collectList().block(),
                                    history));
                }
            }
        }
        return stored;
    }

    private Map<String, List<WatchExecutionResponse>> views() {
        Map<String, List<WatchExecutionResponse>> views = new TreeMap<>();
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                if (name.startsWith("grpc-") || name.startsWith("sse-")) {
                    views.put(name, Records.read(file, WatchExecutionResponse.parser()));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return views;
    }

    private static long lastVersion(List<ChangeBatch> batches) {
        if (batches == null) {
            return 0;
        }
        ChangeBatch last = batches.get(batches.size() - 1);
        return last.getChanges(last.getChangesCount() - 1).getVersion();
    }

    private static UpdateBatch parse(ConsumerRecord<byte[], byte[]> record) {
        return RecordCodec.UPDATES.require(record);
    }

    private interface Taker {
        void take(ExecutionKey key, ConsumerRecord<byte[], byte[]> record);
    }

    /** Reads a topic's committed records to their end; those of this scenario are taken. */
    private <M extends Message> void read(RecordCodec<M> codec, Taker taker) {
        ClientSettings clients = cluster.clients();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(clients.consumer("faults-reader", null, Isolation.COMMITTED))) {
            List<TopicPartition> partitions = consumer.partitionsFor(codec.topic().topicName()).stream()
                    .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Consumer<ConsumerRecord<byte[], byte[]>> take = record -> {
                ExecutionKey key = RecordCodec.key(record.key());
                if (key.executionId().startsWith(prefix)) {
                    taker.take(key, record);
                }
            };
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(POLL).forEach(take);
            }
        }
    }
}
