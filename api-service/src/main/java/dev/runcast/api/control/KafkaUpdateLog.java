package dev.runcast.api.control;

import dev.runcast.doors.Principal;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Stamp;
import dev.runcast.topics.Topic;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.time.InstantSource;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The log in Kafka, through one plain idempotent producer that waits for all in-sync replicas. One thread stamps and
 * sends, so that stamps and log have the same order, and so that whoever asks never waits for a producer that looks for
 * its brokers. A request whose asker has given up meanwhile is not sent.
 */
public final class KafkaUpdateLog implements UpdateLog, AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(KafkaUpdateLog.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);

    private final KafkaProducer<byte[], byte[]> producer;
    private final Stamp stamp;
    private final Scheduler sender = Schedulers.newSingle("runcast-api-log", true);

    /**
     * Looks for the brokers beside, and needs none of them to begin.
     *
     * @param deliveryTimeout after this a request that is not acked has failed; at least a second
     */
    public KafkaUpdateLog(KafkaSettings kafka, Duration deliveryTimeout, InstantSource clock) {
        this.producer = new KafkaProducer<>(kafka.clients().producer("runcast-api", Duration.ZERO, deliveryTimeout));
        this.stamp = new Stamp(clock);
        sender.schedule(this::lookForTheTopic);
    }

    @Override
    public Mono<Void> append(UpdateBatch request, Principal principal) {
        return Mono.<Void>create(sink -> send(request, principal, sink)).subscribeOn(sender);
    }

    private void send(UpdateBatch request, Principal principal, MonoSink<Void> sink) {
        UpdateBatch stamped =
                stamp.on(request, principal.tenant(), principal.name()).build();
        try {
            producer.send(RecordCodec.UPDATES.record(stamped), (metadata, failure) -> {
                if (failure == null) {
                    sink.success();
                } else {
                    sink.error(failure);
                }
            });
        } catch (KafkaException | IllegalStateException e) {
            sink.error(e);
        }
    }

    /** So that the first request need not. */
    private void lookForTheTopic() {
        try {
            producer.partitionsFor(Topic.UPDATES.topicName());
        } catch (KafkaException e) {
            log.warn("{} is not there yet: {}", Topic.UPDATES.topicName(), e.toString());
        }
    }

    @Override
    public void close() {
        sender.dispose();
        producer.close(CLOSE_TIMEOUT);
    }
}
