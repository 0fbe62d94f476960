package dev.runcast.mergestream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.topics.TopicLayout;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.health.contributor.Status;

class HangingTransactionsIT {
    private static final Duration INTERVAL = Duration.ofMillis(200);
    private static final TopicPartition TOLD = new TopicPartition(Topic.CHANGES.topicName(), 0);
    private static final TopicPartition FORGOTTEN = new TopicPartition(Topic.EXECUTIONS.topicName(), 0);

    @TempDir
    Path folder;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private EmbeddedKafka kafka;
    private ClientSettings clients;
    private Admin admin;
    private HangingTransactions looking;

    @BeforeEach
    void start() throws Exception {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        clients = new ClientSettings(kafka.bootstrapServers());
        admin = Admin.create(clients.admin("test"));
        new TopicAdministration(admin, Duration.ofSeconds(30)).ensure(new TopicLayout(1, 1));
        letForgottenTransactionsBeMade();
        looking = new HangingTransactions(clients, "runcast-merge", INTERVAL, new MergeMetrics(registry));
    }

    @AfterEach
    void stop() {
        looking.close();
        admin.close();
        kafka.close();
    }

    @Test
    void whatAPartitionWasNeverToldOfIsEndedWhenItWasAborted() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional("one")) {
            forget(ended(producer, KafkaProducer::abortTransaction));
        }
        assertThat(committedEnd(FORGOTTEN)).isZero();
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(committedEnd(FORGOTTEN)).isEqualTo(2);
            assertThat(count("ended")).isEqualTo(1);
        });
        assertThat(count("left")).isZero();
    }

    @Test
    void whatTheCoordinatorAbortedForTakingTooLongIsEndedToo() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional("slow", Duration.ofSeconds(1))) {
            producer.beginTransaction();
            send(producer, TOLD);
            // It looks every 10 s for those that took too long.
            forget(writer(TOLD));
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> committedEnd(FORGOTTEN) == 2);
        assertThat(count("ended")).isEqualTo(1);
        assertThat(count("left")).isZero();
    }

    @Test
    void whatWasCommittedIsLeftToTheNextTransactionOfItsProducer() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional("one")) {
            forget(ended(producer, KafkaProducer::commitTransaction));
            await().atMost(Duration.ofSeconds(30)).until(() -> count("left") == 1);
            assertThat(committedEnd(FORGOTTEN)).isZero();
            producer.beginTransaction();
            send(producer, FORGOTTEN);
            producer.commitTransaction();
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> committedEnd(FORGOTTEN) == 3);
        assertThat(count("ended")).isZero();
    }

    @Test
    void whatNoCoordinatorHasEverHeardOfIsLeft() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional("another")) {
            producer.beginTransaction();
            send(producer, TOLD);
            producer.commitTransaction();
        }
        RawTransaction.append(kafka.bootstrapServers(), FORGOTTEN, 4711, (short) 3, bytes("k"), bytes("v"));
        await().atMost(Duration.ofSeconds(30)).until(() -> count("left") == 1);
        assertThat(committedEnd(FORGOTTEN)).isZero();
    }

    @Test
    void offsetsThatWereNeverToldAreEndedToo() throws Exception {
        TopicPartition input = new TopicPartition(Topic.UPDATES.topicName(), 0);
        admin.alterConsumerGroupOffsets("runcast-merge", Map.of(input, new OffsetAndMetadata(0)))
                .all()
                .get();
        TopicPartition offsets = new TopicPartition("__consumer_offsets", 0);
        long before = committedEnd(offsets);
        try (KafkaProducer<byte[], byte[]> producer = transactional("one")) {
            forget(ended(producer, KafkaProducer::abortTransaction), offsets);
        }
        assertThat(committedEnd(offsets)).isEqualTo(before);
        await().atMost(Duration.ofSeconds(30)).until(() -> committedEnd(offsets) == before + 2);
    }

    @Test
    void whatWasCommittedIsNotAbortedBecauseItsProducerAbortsLater() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = transactional("one")) {
            forget(ended(producer, KafkaProducer::commitTransaction));
            await().atMost(Duration.ofSeconds(30)).until(() -> count("left") == 1);
            ProducerState later = ended(producer, KafkaProducer::abortTransaction);
            RawTransaction.append(
                    kafka.bootstrapServers(),
                    FORGOTTEN,
                    later.producerId(),
                    (short) later.producerEpoch(),
                    bytes("k"),
                    bytes("v"));
        }
        // What is looked at after it is ended, so it has been looked at.
        try (KafkaProducer<byte[], byte[]> producer = transactional("other")) {
            forget(ended(producer, KafkaProducer::abortTransaction), new TopicPartition(Topic.SIGNALS.topicName(), 0));
        }
        await().atMost(Duration.ofSeconds(30)).until(() -> count("ended") == 1);
        assertThat(committedEnd(FORGOTTEN)).isZero();
    }

    @Test
    void aTransactionThatIsOpenForLongIsNotTouchedWhileAnotherIsEnded() throws Exception {
        try (KafkaProducer<byte[], byte[]> slow = transactional("slow");
                KafkaProducer<byte[], byte[]> producer = transactional("one")) {
            slow.beginTransaction();
            send(slow, TOLD);
            ProducerState open = writer(TOLD);
            producer.beginTransaction();
            send(producer, new TopicPartition(Topic.SIGNALS.topicName(), 0));
            ProducerState writer = writer(new TopicPartition(Topic.SIGNALS.topicName(), 0));
            producer.abortTransaction();
            forget(writer);
            await().atMost(Duration.ofSeconds(30)).until(() -> count("ended") == 1);
            assertThat(writer(TOLD)).isEqualTo(open);
            slow.commitTransaction();
        }
        await().atMost(Duration.ofSeconds(10)).until(() -> committedEnd(TOLD) == 2);
        assertThat(count("left")).isZero();
    }

    @Test
    void aMergeThatHasToRestoreBehindOneGoesOnByItself() throws Exception {
        MergeStreamSettings settings = MergeDriver.settings(folder.resolve("state"), "runcast-merge");
        TopicPartition changelog = new TopicPartition(settings.applicationId() + "-state-changelog", 0);
        MergeStreams merge = merge(settings);
        merge.start();
        await().atMost(Duration.ofSeconds(30)).until(() -> partitionsOf(changelog.topic()) == 1);
        merge.stop();
        try (KafkaProducer<byte[], byte[]> producer = transactional("one")) {
            ProducerState writer = ended(producer, KafkaProducer::abortTransaction);
            looking.close();
            forget(writer, changelog);
            forget(writer, FORGOTTEN);
        }
        MergeStreams restoring = merge(settings);
        restoring.start();
        try {
            await().atMost(Duration.ofSeconds(90)).until(() -> StreamHealth.readiness(restoring)
                    .health()
                    .getStatus()
                    .equals(Status.UP));
            await().atMost(Duration.ofSeconds(60)).until(() -> committedEnd(FORGOTTEN) == 2);
        } finally {
            restoring.stop();
        }
    }

    private MergeStreams merge(MergeStreamSettings settings) {
        return new MergeStreams(
                new KafkaSettings(kafka.bootstrapServers(), Map.of(), 1, 1, Duration.ofSeconds(30)),
                settings,
                InstantSource.system(),
                registry);
    }

    private int partitionsOf(String topic) throws Exception {
        return admin.listTopics().names().get().contains(topic)
                ? admin.describeTopics(List.of(topic))
                        .topicNameValues()
                        .get(topic)
                        .get()
                        .partitions()
                        .size()
                : 0;
    }

    /** Brokers refuse late records of a transaction that is over, which is what has to be shown here. */
    private void letForgottenTransactionsBeMade() throws Exception {
        ConfigResource brokers = new ConfigResource(ConfigResource.Type.BROKER, "");
        Collection<AlterConfigOp> change = List.of(new AlterConfigOp(
                new ConfigEntry("transaction.partition.verification.enable", "false"), AlterConfigOp.OpType.SET));
        admin.incrementalAlterConfigs(Map.of(brokers, change)).all().get();
    }

    private KafkaProducer<byte[], byte[]> transactional(String name) {
        return transactional(name, Duration.ofMinutes(1));
    }

    private KafkaProducer<byte[], byte[]> transactional(String name, Duration timeout) {
        Map<String, Object> settings = new HashMap<>(clients.producer(name, Duration.ZERO, Duration.ofSeconds(20)));
        settings.put("transactional.id", "runcast-merge-" + name);
        settings.put("transaction.timeout.ms", (int) timeout.toMillis());
        KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
        producer.initTransactions();
        return producer;
    }

    private static void send(KafkaProducer<byte[], byte[]> producer, TopicPartition partition) throws Exception {
        producer.send(new ProducerRecord<>(partition.topic(), partition.partition(), bytes("k"), bytes("v")))
                .get();
    }

    /** A transaction with a record in {@link #TOLD}, of which every partition was told how it ended. */
    private ProducerState ended(KafkaProducer<byte[], byte[]> producer, Consumer<KafkaProducer<byte[], byte[]>> end)
            throws Exception {
        producer.beginTransaction();
        send(producer, TOLD);
        ProducerState writer = writer(TOLD);
        end.accept(producer);
        return writer;
    }

    private void forget(ProducerState writer) throws Exception {
        forget(writer, FORGOTTEN);
    }

    /** Waits until the coordinator is done with the transaction, then adds a record of it. */
    private void forget(ProducerState writer, TopicPartition partition) throws Exception {
        await().atMost(Duration.ofSeconds(30)).until(() -> admin.listTransactions().all().get().stream()
                .filter(listing -> listing.producerId() == writer.producerId())
                .allMatch(listing -> listing.state() == TransactionState.COMPLETE_ABORT
                        || listing.state() == TransactionState.COMPLETE_COMMIT));
        RawTransaction.append(
                kafka.bootstrapServers(),
                partition,
                writer.producerId(),
                (short) writer.producerEpoch(),
                bytes("k"),
                bytes("v"));
    }

    private ProducerState writer(TopicPartition partition) throws Exception {
        return admin.describeProducers(List.of(partition)).partitionResult(partition).get().activeProducers().stream()
                .filter(producer -> producer.currentTransactionStartOffset().isPresent())
                .findFirst()
                .orElseThrow();
    }

    private long committedEnd(TopicPartition partition) throws Exception {
        return admin.listOffsets(
                        Map.of(partition, OffsetSpec.latest()), new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                .partitionResult(partition)
                .get()
                .offset();
    }

    private double count(String outcome) {
        return registry.counter("runcast.merge.transactions.hanging", "outcome", outcome)
                .count();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
