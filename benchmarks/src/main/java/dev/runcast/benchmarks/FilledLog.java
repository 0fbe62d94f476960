package dev.runcast.benchmarks;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.topics.TopicLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.jspecify.annotations.Nullable;

/** A broker of this process whose log of updates is full: the executions take turns, as they do in life. */
final class FilledLog implements AutoCloseable {
    private static final int UPDATES_EACH = 1_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private final EmbeddedKafka kafka;
    private final long updates;
    private final int updatesInRecord;

    /** @param updates how many at least */
    FilledLog(Path folder, int updates, int updatesInRecord) {
        this.updatesInRecord = updatesInRecord;
        int each = Math.min(UPDATES_EACH, Math.max(updatesInRecord, updates / 10));
        int records = each / updatesInRecord;
        int executions = Math.max(1, updates / (records * updatesInRecord));
        this.updates = (long) executions * records * updatesInRecord;
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder));
        try {
            fill(executions, records);
        } catch (RuntimeException e) {
            kafka.close();
            throw e;
        }
    }

    private void fill(int executions, int records) {
        TopicAdministration.ensure(clients(), new TopicLayout(4, 1), TIMEOUT);
        AtomicReference<@Nullable Exception> failed = new AtomicReference<>();
        long epoch = System.currentTimeMillis();
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(clients().producer("bench-fill", Duration.ofMillis(5), TIMEOUT))) {
            for (int record = 0; record < records; record++) {
                for (int execution = 0; execution < executions; execution++) {
                    producer.send(
                            RecordCodec.UPDATES.record(Workload.stamped(Workload.batch(
                                    "e-" + execution,
                                    epoch,
                                    1 + (long) record * updatesInRecord,
                                    updatesInRecord,
                                    execution))),
                            (where, failure) -> failed.compareAndSet(null, failure));
                }
            }
        }
        Exception failure = failed.get();
        if (failure != null) {
            throw new IllegalStateException("the log could not be filled: " + failure, failure);
        }
    }

    ClientSettings clients() {
        return new ClientSettings(kafka.bootstrapServers());
    }

    /** How many updates it holds. */
    long updates() {
        return updates;
    }

    /** How many records they are in. */
    long records() {
        return updates / updatesInRecord;
    }

    @Override
    public void close() {
        kafka.close();
    }
}
