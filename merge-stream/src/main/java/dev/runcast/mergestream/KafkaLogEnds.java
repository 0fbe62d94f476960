package dev.runcast.mergestream;

import dev.runcast.topics.Topic;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the brokers, one question at a time for all partitions of this instance. Thread-safe; never blocks. */
final class KafkaLogEnds implements LogEnds, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaLogEnds.class);

    private final Admin admin;
    private final String group;
    private final InstantSource clock;
    private final Set<Integer> partitions = ConcurrentHashMap.newKeySet();
    private final Map<Integer, LogEnd> answers = new ConcurrentHashMap<>();
    private final AtomicBoolean asking = new AtomicBoolean();
    private final long pauseMillis;
    private volatile long lastAsked = Long.MIN_VALUE;

    /**
     * Takes over the client.
     *
     * @param group whose committed offsets count
     * @param pause the least time between two questions
     */
    KafkaLogEnds(Admin admin, String group, Duration pause, InstantSource clock) {
        this.admin = admin;
        this.group = group;
        this.pauseMillis = pause.toMillis();
        this.clock = clock;
    }

    @Override
    public void watch(int partition) {
        partitions.add(partition);
    }

    @Override
    public void forget(int partition) {
        partitions.remove(partition);
        answers.remove(partition);
    }

    @Override
    public @Nullable LogEnd newest(int partition) {
        long now = clock.millis();
        // The clock may have been set back; then the difference is negative, and asking is right.
        boolean early = lastAsked != Long.MIN_VALUE && now >= lastAsked && now - lastAsked < pauseMillis;
        if (!early && asking.compareAndSet(false, true)) {
            lastAsked = now;
            ask(now, List.copyOf(partitions));
        }
        return answers.get(partition);
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(1));
    }

    private void ask(long now, List<Integer> asked) {
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        Map<TopicPartition, OffsetSpec> earliest = new HashMap<>();
        for (int partition : asked) {
            for (TopicPartition place : List.of(updates(partition), heartbeats(partition))) {
                latest.put(place, OffsetSpec.latest());
                earliest.put(place, OffsetSpec.earliest());
            }
        }
        var committedSpec = new ListConsumerGroupOffsetsSpec().topicPartitions(latest.keySet());
        var committed = stage(() -> admin.listConsumerGroupOffsets(Map.of(group, committedSpec))
                .partitionsToOffsetAndMetadata()
                .toCompletionStage());
        var ends = stage(() -> admin.listOffsets(latest).all().toCompletionStage());
        var starts = stage(() -> admin.listOffsets(earliest).all().toCompletionStage());
        CompletableFuture.allOf(committed, ends, starts).whenComplete((ignored, failure) -> {
            if (failure == null) {
                for (int partition : asked) {
                    answers.put(
                            partition,
                            new LogEnd(
                                    now,
                                    reach(updates(partition), starts.join(), committed.join(), ends.join()),
                                    reach(heartbeats(partition), starts.join(), committed.join(), ends.join())));
                }
                answers.keySet().retainAll(partitions);
            } else {
                // Without an answer nothing is judged, which is right while the brokers cannot be reached.
                LOG.debug("The ends of the log are not known now", failure);
            }
            asking.set(false);
        });
    }

    /** The client throws at once when it is closed; then there is no answer either. */
    private static <T> CompletableFuture<T> stage(java.util.function.Supplier<CompletionStage<T>> question) {
        try {
            return question.get().toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static Reach reach(
            TopicPartition place,
            Map<TopicPartition, ListOffsetsResultInfo> starts,
            Map<TopicPartition, @Nullable OffsetAndMetadata> committed,
            Map<TopicPartition, ListOffsetsResultInfo> ends) {
        ListOffsetsResultInfo start = starts.get(place);
        ListOffsetsResultInfo end = ends.get(place);
        if (start == null || end == null) {
            throw new IllegalStateException(place + ": no offset (expected: an answer for every partition asked for)");
        }
        OffsetAndMetadata offset = committed.get(place);
        return new Reach(Math.max(start.offset(), offset == null ? 0 : offset.offset()), end.offset());
    }

    private static TopicPartition updates(int partition) {
        return new TopicPartition(Topic.UPDATES.topicName(), partition);
    }

    private static TopicPartition heartbeats(int partition) {
        return new TopicPartition(Topic.HEARTBEATS.topicName(), partition);
    }
}
