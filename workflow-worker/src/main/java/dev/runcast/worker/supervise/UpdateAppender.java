package dev.runcast.worker.supervise;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.Merge;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;

/** Appends updates of the workflow and of the reconciliation to the log, with an idempotent producer. Thread-safe. */
public final class UpdateAppender implements AutoCloseable {
    private static final Duration DELIVERY = Duration.ofSeconds(10);
    private static final Duration CLOSE = Duration.ofSeconds(5);

    private final KafkaProducer<byte[], byte[]> producer;
    private final InstantSource clock;

    /** One update could not be appended; it may all the same land. */
    public static final class NotAppendedException extends RuntimeException {
        NotAppendedException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Opens a producer; the brokers need not be there yet. */
    public UpdateAppender(ClientSettings clients, InstantSource clock) {
        this.producer = new KafkaProducer<>(clients.producer("runcast-workflow", Duration.ZERO, DELIVERY));
        this.clock = clock;
    }

    /**
     * Appends an update and returns when it is durable.
     *
     * @param requestId names it: the merge applies it once, however often it is appended
     * @throws NotAppendedException when the brokers have not acknowledged it in time; the same call again is safe
     */
    public void append(String tenant, String executionId, WriterKind kind, String requestId, Update update) {
        Instant now = clock.instant();
        Timestamp time = Timestamp.newBuilder()
                .setSeconds(now.getEpochSecond())
                .setNanos(now.getNano())
                .build();
        UpdateBatch batch = UpdateBatch.newBuilder()
                .setTenant(tenant)
                .setExecutionId(executionId)
                .setWriter(Writer.newBuilder().setKind(kind))
                .setRequestId(requestId)
                .addUpdates(update.toBuilder().setOccurredAt(time))
                .setReceivedAt(time)
                .setRules(Merge.NEWEST_RULES)
                .setPrincipal("workflow-worker")
                .build();
        CompletableFuture<Void> landed = new CompletableFuture<>();
        try {
            producer.send(RecordCodec.UPDATES.record(batch), (metadata, failure) -> {
                if (failure == null) {
                    landed.complete(null);
                } else {
                    landed.completeExceptionally(failure);
                }
            });
            landed.get(DELIVERY.toMillis() * 2, TimeUnit.MILLISECONDS);
        } catch (KafkaException | ExecutionException | TimeoutException e) {
            throw new NotAppendedException(requestId + " of " + tenant + "/" + executionId + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NotAppendedException(requestId + ": interrupted", e);
        }
    }

    @Override
    public void close() {
        producer.close(CLOSE);
    }
}
