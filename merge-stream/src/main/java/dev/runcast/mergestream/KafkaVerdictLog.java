package dev.runcast.mergestream;

import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.Producer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends through a plain idempotent producer, never inside the merge's own transaction: an open transaction on the
 * merge's input stalls every reader behind it. Sending has a thread of its own, since a producer may block while it
 * looks for a broker. Thread-safe.
 */
final class KafkaVerdictLog implements VerdictLog, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaVerdictLog.class);
    private static final int WAITING = 10_000;

    private final Producer<byte[], byte[]> producer;
    private final MergeMetrics metrics;
    private final ThreadPoolExecutor sender;

    /** Takes over the producer. */
    KafkaVerdictLog(Producer<byte[], byte[]> producer, MergeMetrics metrics) {
        this.producer = producer;
        this.metrics = metrics;
        this.sender = new ThreadPoolExecutor(
                1,
                1,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(WAITING),
                task -> {
                    Thread thread = new Thread(task, "runcast-verdicts");
                    thread.setDaemon(true);
                    return thread;
                },
                (task, executor) -> metrics.verdictNotSent());
    }

    @Override
    public void append(UpdateBatch verdict) {
        sender.execute(() -> send(verdict));
    }

    @Override
    public void close() {
        sender.shutdownNow();
        producer.close(Duration.ofSeconds(1));
    }

    private void send(UpdateBatch verdict) {
        try {
            producer.send(RecordCodec.UPDATES.record(verdict), (metadata, failure) -> {
                if (failure != null) {
                    failed(verdict, failure);
                }
            });
        } catch (RuntimeException failure) {
            failed(verdict, failure);
        }
    }

    private void failed(UpdateBatch verdict, Exception failure) {
        metrics.verdictNotSent();
        LOG.warn(
                "Verdict {} on {}/{} could not be appended and will be judged again: {}",
                verdict.getRequestId(),
                verdict.getTenant(),
                verdict.getExecutionId(),
                failure.toString());
    }
}
