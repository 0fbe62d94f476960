package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionPatch;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.BatchConsumerAwareMessageListener;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Rings for every change as soon as it is on the feed, committed or not: the merge is deterministic, so a change that is
 * made again after an aborted transaction is the same change. Nothing is tried again and nothing stops the feed: what
 * does not get through, viewers miss by its version and fetch from the history. What can no longer be live is left out.
 */
final class RedisPublisher implements BatchConsumerAwareMessageListener<byte[], byte[]> {
    private static final Logger LOG = LoggerFactory.getLogger(RedisPublisher.class);

    /** Rings under way at once; the connection keeps them in order. */
    private static final int IN_FLIGHT = 256;

    private final ChangeBell bell;
    private final FeedProgress progress;
    private final InstantSource clock;
    private final Duration maxLag;
    private final Duration timeout;
    private boolean silent;

    /** @param timeout how long the rings of one poll may take */
    RedisPublisher(ChangeBell bell, FeedProgress progress, InstantSource clock, Duration maxLag, Duration timeout) {
        this.bell = bell;
        this.progress = progress;
        this.clock = clock;
        this.maxLag = maxLag;
        this.timeout = timeout;
    }

    @Override
    public void onMessage(List<ConsumerRecord<byte[], byte[]>> records, @Nullable Consumer<?, ?> consumer) {
        Set<TopicPartition> late = late(records);
        if (!late.isEmpty()) {
            Objects.requireNonNull(consumer).seekToEnd(late);
            progress.counter("skips").increment(late.size());
            LOG.info("more than {} behind: going on at the end of {}", maxLag, late);
        }
        List<ConsumerRecord<byte[], byte[]>> live = records.stream()
                .filter(record -> !late.contains(new TopicPartition(record.topic(), record.partition())))
                .toList();
        Throwable error = null;
        for (List<ConsumerRecord<byte[], byte[]>> slice : Slices.of(live)) {
            List<Mono<Void>> rings = rings(slice);
            if (error == null) {
                error = ring(rings);
            }
            progress.counter(error == null ? "rings" : "rings.lost").increment(rings.size());
        }
        if (error == null) {
            progress.succeeded(records, consumer);
            heard();
        } else {
            progress.failed(error);
            lost(error);
        }
    }

    /** Rings until one fails: the others would too. */
    private @Nullable Throwable ring(List<Mono<Void>> rings) {
        AtomicReference<@Nullable Throwable> first = new AtomicReference<>();
        try {
            Flux.fromIterable(rings)
                    .takeWhile(ring -> first.get() == null)
                    .flatMap(
                            ring -> ring.onErrorResume(error -> {
                                first.compareAndSet(null, error);
                                return Mono.empty();
                            }),
                            IN_FLIGHT)
                    .then()
                    .block(timeout);
        } catch (IllegalStateException e) {
            // No answer in time.
            first.compareAndSet(null, e);
        }
        return first.get();
    }

    /** The partitions of which even the newest record is too old. */
    private Set<TopicPartition> late(List<ConsumerRecord<byte[], byte[]>> records) {
        Map<TopicPartition, Long> newest = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            newest.merge(new TopicPartition(record.topic(), record.partition()), record.timestamp(), Math::max);
        }
        long oldestLive = clock.millis() - maxLag.toMillis();
        Set<TopicPartition> late = new HashSet<>();
        newest.forEach((partition, timestamp) -> {
            if (timestamp < oldestLive) {
                late.add(partition);
            }
        });
        return late;
    }

    /** In the feed's order; then of each execution that changed its row, once. */
    private List<Mono<Void>> rings(List<ConsumerRecord<byte[], byte[]>> records) {
        List<Mono<Void>> rings = new ArrayList<>(records.size());
        Map<ExecutionKey, Execution> rows = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Decoded<ChangeBatch> decoded = RecordCodec.CHANGES.decode(record.key(), record.value());
            if (decoded instanceof Decoded.Value<ChangeBatch> value
                    && value.value().getChangesCount() > 0) {
                ChangeBatch batch = value.value();
                rings.add(bell.publish(batch));
                ExecutionKey key = RecordCodec.CHANGES.keyOf(batch);
                for (Change change : batch.getChangesList()) {
                    if (change.hasExecution() || rows.containsKey(key)) {
                        Execution before = rows.getOrDefault(key, Execution.getDefaultInstance());
                        rows.put(key, ExecutionPatch.join(before, change).build());
                    }
                }
            } else {
                // The other reader of the feed keeps it as a dead letter.
                progress.counter("unreadable").increment();
            }
        }
        rows.forEach((key, row) -> rings.add(bell.publishRow(row.toBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .build())));
        return rings;
    }

    private void lost(Throwable error) {
        if (!silent) {
            silent = true;
            LOG.warn("Redis: not reachable; viewers poll the store until it is back: {}", error.toString());
        }
    }

    private void heard() {
        if (silent) {
            silent = false;
            LOG.info("Redis: reachable again");
        }
    }
}
