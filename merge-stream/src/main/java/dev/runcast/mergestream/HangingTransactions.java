package dev.runcast.mergestream;

import dev.runcast.mergestream.TransactionLog.Decision;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.Topic;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AbortTransactionSpec;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeProducersOptions;
import org.apache.kafka.clients.admin.FinalizedVersionRange;
import org.apache.kafka.clients.admin.ListTransactionsOptions;
import org.apache.kafka.clients.admin.ProducerState;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.TransactionCoordinatorFencedException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds transactions of the merge that hang, and ends those that were aborted. One hangs when its coordinator takes it
 * for over while a partition was never told (KIP-664): readers of committed records stand still before it for ever, and
 * so does whoever has to restore the state. Brokers make one when they end a transaction just while a partition has no
 * leader (KAFKA-20734, seen in 4.3.1).
 *
 * <p>Nothing is ended on suspicion. A transaction must stand open at three looks, be unknown to all coordinators at the
 * last two while all of them answer, stand open still after that, and the coordinators' own log must say that it was
 * aborted and nothing else. One that was committed is never touched, only told. What this cannot help: the next
 * transaction of the same producer in the partition ends a hanging one the way it ends itself, and may come first.
 *
 * <p>Has a thread of its own; needs no lock, since several instances may do the same.
 */
final class HangingTransactions implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(HangingTransactions.class);
    private static final String OFFSETS = "__consumer_offsets";
    private static final Duration READING_LIMIT = Duration.ofSeconds(60);
    private static final int TIMEOUT_MILLIS = 5_000;

    private final ClientSettings clients;
    private final String applicationId;
    private final Admin admin;
    private final MergeMetrics metrics;
    private final ScheduledExecutorService looks;
    private Set<Open> openBefore = Set.of();
    private Set<Open> unownedBefore = Set.of();
    private final Set<Place> left = new HashSet<>();
    private boolean refused;

    private record Writer(long producerId, int epoch) {}

    /** A transaction that stands open in a partition. */
    private record Open(TopicPartition partition, Writer writer, int coordinatorEpoch, long startOffset) {
        Place place() {
            return new Place(partition, writer.producerId(), startOffset);
        }
    }

    /** Where one began that is left alone. What its producer adds under later epochs makes it no other. */
    private record Place(TopicPartition partition, long producerId, long startOffset) {}

    /** Begins to look. */
    HangingTransactions(ClientSettings clients, String applicationId, Duration interval, MergeMetrics metrics) {
        this.clients = clients;
        this.applicationId = applicationId;
        this.admin = Admin.create(clients.admin(applicationId + "-transactions"));
        this.metrics = metrics;
        this.looks = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "runcast-hanging-transactions");
            thread.setDaemon(true);
            return thread;
        });
        looks.scheduleWithFixedDelay(this::look, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        looks.shutdownNow();
        admin.close(Duration.ofSeconds(1));
    }

    private void look() {
        try {
            Set<TopicPartition> partitions = partitions();
            Set<Open> open = open(partitions);
            Set<Open> unowned = unowned(both(open, openBefore));
            Set<Open> hanging = both(unowned, unownedBefore);
            openBefore = open;
            unownedBefore = unowned;
            Set<Place> places = open.stream().map(Open::place).collect(Collectors.toSet());
            left.removeIf(place -> partitions.contains(place.partition()) && !places.contains(place));
            hanging.removeIf(one -> left.contains(one.place()));
            if (!hanging.isEmpty()) {
                hanging.retainAll(open(hanging.stream().map(Open::partition).collect(Collectors.toSet())));
                end(hanging);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | RuntimeException e) {
            // What is not known for certain is not acted on.
            openBefore = Set.of();
            unownedBefore = Set.of();
            if (e.getCause() instanceof AuthorizationException && !refused) {
                refused = true;
                LOG.warn("Transactions that hang are not looked for, for want of a right: {}", e.getCause());
            } else {
                LOG.debug("Whether a transaction hangs is not known now", e);
            }
        }
    }

    /** Where the merge's transactions write, as far as it exists and has leaders. */
    private Set<TopicPartition> partitions() throws ExecutionException, InterruptedException {
        Set<TopicPartition> partitions = new HashSet<>();
        List<String> topics = List.of(
                Topic.CHANGES.topicName(),
                Topic.EXECUTIONS.topicName(),
                Topic.REJECTED.topicName(),
                Topic.SIGNALS.topicName(),
                applicationId + "-" + MergeTopology.STORE + "-changelog",
                OFFSETS);
        for (KafkaFuture<TopicDescription> description :
                admin.describeTopics(topics).topicNameValues().values()) {
            try {
                partitions.addAll(ledPartitions(description.get()));
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
            }
        }
        return partitions;
    }

    private Set<Open> open(Collection<TopicPartition> partitions) throws ExecutionException, InterruptedException {
        var answer = admin.describeProducers(partitions, new DescribeProducersOptions().timeoutMs(TIMEOUT_MILLIS));
        Set<Open> open = new HashSet<>();
        for (var entry : answer.all().get().entrySet()) {
            for (ProducerState producer : entry.getValue().activeProducers()) {
                producer.currentTransactionStartOffset()
                        .ifPresent(start -> open.add(new Open(
                                entry.getKey(),
                                new Writer(producer.producerId(), producer.producerEpoch()),
                                producer.coordinatorEpoch().orElse(0),
                                start)));
            }
        }
        return open;
    }

    /** Those of which no coordinator knows, while every partition of their log has a coordinator. */
    private Set<Open> unowned(Set<Open> open) throws ExecutionException, InterruptedException {
        if (open.isEmpty()) {
            return Set.of();
        }
        coordinators();
        Set<Long> producers =
                open.stream().map(one -> one.writer().producerId()).collect(Collectors.toSet());
        Set<String> ids = new HashSet<>();
        for (TransactionListing listing : admin.listTransactions(new ListTransactionsOptions()
                        .filterProducerIds(producers)
                        .timeoutMs(TIMEOUT_MILLIS))
                .all()
                .get()) {
            ids.add(listing.transactionalId());
        }
        Set<Long> ours = new HashSet<>();
        Map<Long, Set<TopicPartition>> owned = new HashMap<>();
        for (var answer : admin.describeTransactions(ids).all().get().entrySet()) {
            owned.put(answer.getValue().producerId(), answer.getValue().topicPartitions());
            if (answer.getKey().startsWith(applicationId + "-")) {
                ours.add(answer.getValue().producerId());
            }
        }
        coordinators();
        return open.stream()
                .filter(one ->
                        !owned.getOrDefault(one.writer().producerId(), Set.of()).contains(one.partition()))
                // All groups commit there; what others leave open is theirs to end.
                .filter(one -> !one.partition().topic().equals(OFFSETS)
                        || ours.contains(one.writer().producerId()))
                .collect(Collectors.toSet());
    }

    private Set<TopicPartition> coordinators() throws ExecutionException, InterruptedException {
        TopicDescription log = admin.describeTopics(List.of(TransactionLog.TOPIC))
                .allTopicNames()
                .get()
                .values()
                .iterator()
                .next();
        Set<TopicPartition> led = ledPartitions(log);
        if (led.size() < log.partitions().size()) {
            throw new IllegalStateException(TransactionLog.TOPIC + ": " + led.size() + " of "
                    + log.partitions().size() + " partitions have a leader (expected: all)");
        }
        return led;
    }

    private void end(Set<Open> hanging) throws ExecutionException, InterruptedException {
        if (!epochsAreOfOneTransaction()) {
            hanging.forEach(one -> leave(one, "What was decided cannot be told before transaction.version 2"));
            return;
        }
        Map<Writer, Set<Decision>> decisions = new HashMap<>();
        try (var consumer = new KafkaConsumer<byte[], byte[]>(
                clients.consumer(applicationId + "-transactions", null, Isolation.UNCOMMITTED))) {
            Set<TopicPartition> log = coordinators();
            for (Open one : hanging) {
                decisions.computeIfAbsent(
                        one.writer(),
                        writer -> TransactionLog.decisions(
                                consumer, log, writer.producerId(), writer.epoch(), READING_LIMIT));
            }
        } catch (KafkaException e) {
            LOG.warn(
                    "Transactions hang, and what was decided on them could not be read: {}: {}", hanging, e.toString());
            return;
        }
        for (Open one : hanging) {
            Set<Decision> decision = decisions.getOrDefault(one.writer(), Set.of());
            if (decision.equals(Set.of(Decision.ABORT))) {
                abort(one);
            } else if (decision.contains(Decision.COMMIT)) {
                leave(
                        one,
                        "It was committed, so aborting it would lose records; the next commit of its producer in this"
                                + " partition commits it along");
            } else if (!decision.contains(Decision.NONE_YET)) {
                leave(one, "What was decided is not known any more; kafka-transactions.sh ends it as aborted");
            }
        }
    }

    /** Epochs are raised with each transaction since KIP-890; before, one epoch may have seen commits and aborts. */
    private boolean epochsAreOfOneTransaction() throws ExecutionException, InterruptedException {
        FinalizedVersionRange version = admin.describeFeatures()
                .featureMetadata()
                .get()
                .finalizedFeatures()
                .get("transaction.version");
        return version != null && version.maxVersionLevel() >= 2;
    }

    private void abort(Open one) throws InterruptedException {
        try {
            admin.abortTransaction(new AbortTransactionSpec(
                            one.partition(),
                            one.writer().producerId(),
                            (short) one.writer().epoch(),
                            one.coordinatorEpoch()))
                    .all()
                    .get();
        } catch (ExecutionException e) {
            Throwable refusal = e.getCause();
            if (refusal instanceof RetriableException
                    || refusal instanceof InvalidProducerEpochException
                    || refusal instanceof TransactionCoordinatorFencedException) {
                LOG.info("{} is not ended now, and looked at again: {}", one, refusal.toString());
            } else {
                leave(one, "It was aborted, and ending it failed: " + refusal + "; kafka-transactions.sh ends it");
            }
            return;
        }
        metrics.hangingTransaction(true);
        LOG.warn(
                "A transaction hung in {} from offset {} (producer {}, epoch {}): its coordinator had aborted it and"
                        + " never told the partition. It is ended now",
                one.partition(),
                one.startOffset(),
                one.writer().producerId(),
                one.writer().epoch());
    }

    private void leave(Open one, String why) {
        left.add(one.place());
        metrics.hangingTransaction(false);
        LOG.error(
                "A transaction hangs in {} from offset {} (producer {}, epoch {}), and readers of committed records"
                        + " stand still before it. {}",
                one.partition(),
                one.startOffset(),
                one.writer().producerId(),
                one.writer().epoch(),
                why);
    }

    private static Set<TopicPartition> ledPartitions(TopicDescription topic) {
        return topic.partitions().stream()
                .filter(partition ->
                        partition.leader() != null && !partition.leader().isEmpty())
                .map(partition -> new TopicPartition(topic.name(), partition.partition()))
                .collect(Collectors.toSet());
    }

    private static Set<Open> both(Set<Open> one, Set<Open> other) {
        Set<Open> both = new HashSet<>(one);
        both.retainAll(other);
        return both;
    }
}
