package dev.runcast.ingest;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.ExecutionSignals;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the compacted topic of signals from its beginning, for ever, on a thread of its own, and keeps the
 * {@link SignalBoard} at its end. Reads uncommitted: the merge is deterministic, so a level of an aborted
 * transaction comes again as it was.
 */
final class SignalsReader implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(SignalsReader.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration RETRY = Duration.ofSeconds(1);

    private final ClientSettings clients;
    private final int partitions;
    private final SignalBoard board;
    private final CompletableFuture<Void> readWhole = new CompletableFuture<>();
    private final Thread thread;
    private final CountDownLatch stop = new CountDownLatch(1);
    private volatile boolean reading;

    SignalsReader(ClientSettings clients, int partitions, SignalBoard board) {
        this.clients = clients;
        this.partitions = partitions;
        this.board = board;
        this.thread = new Thread(this::run, "runcast-ingest-signals");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Completes when everything that was there at the start has been read. */
    CompletableFuture<Void> readWhole() {
        return readWhole;
    }

    /** Whether levels are being read now, as opposed to waiting to try again. */
    boolean reading() {
        return reading;
    }

    private void run() {
        while (!closed()) {
            try (Consumer<byte[], byte[]> consumer =
                    new KafkaConsumer<>(clients.consumer("runcast-ingest-signals", null, Isolation.UNCOMMITTED))) {
                read(consumer);
            } catch (RuntimeException e) {
                // Kafka's failures, and any bug of ours too: a reader that is gone would leave every runner untold.
                if (!closed()) {
                    log.warn("Signals cannot be read, trying again in {}", RETRY, e);
                }
            }
            reading = false;
            pause();
        }
    }

    private void read(Consumer<byte[], byte[]> consumer) {
        List<TopicPartition> all = java.util.stream.IntStream.range(0, partitions)
                .mapToObj(partition -> new TopicPartition(Topic.SIGNALS.topicName(), partition))
                .toList();
        consumer.assign(all);
        consumer.seekToBeginning(all);
        Map<TopicPartition, Long> missing = new HashMap<>(consumer.endOffsets(all));
        missing.values().removeIf(end -> end == 0);
        int records = 0;
        while (!closed()) {
            if (!missing.isEmpty()) {
                missing.entrySet().removeIf(entry -> consumer.position(entry.getKey()) >= entry.getValue());
            }
            if (missing.isEmpty() && !readWhole.isDone()) {
                log.info("Signals read: {} records, {} executions", records, board.size());
                readWhole.complete(null);
            }
            reading = true;
            for (ConsumerRecord<byte[], byte[]> record :
                    consumer.poll(readWhole.isDone() ? POLL : Duration.ofMillis(50))) {
                records++;
                accept(record);
            }
        }
    }

    private void accept(ConsumerRecord<byte[], byte[]> record) {
        Decoded<ExecutionSignals> decoded = RecordCodec.SIGNALS.decode(record.key(), record.value());
        try {
            if (decoded instanceof Decoded.Value<ExecutionSignals> level) {
                board.put(RecordCodec.SIGNALS.keyOf(level.value()), level.value());
            } else if (decoded instanceof Decoded.Unreadable<ExecutionSignals> unreadable) {
                log.warn("{}: {}", RecordCodec.position(record), unreadable.problem());
            } else {
                board.remove(RecordCodec.key(record.key()));
            }
        } catch (IllegalArgumentException e) {
            log.warn("{}: {}", RecordCodec.position(record), e.getMessage());
        }
    }

    private boolean closed() {
        return stop.getCount() == 0;
    }

    private void pause() {
        try {
            if (stop.await(RETRY.toMillis(), TimeUnit.MILLISECONDS)) {
                log.debug("Signals are read no more");
            }
        } catch (InterruptedException e) {
            stop.countDown();
        }
    }

    @Override
    public void close() {
        stop.countDown();
        try {
            thread.join(2 * POLL.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
