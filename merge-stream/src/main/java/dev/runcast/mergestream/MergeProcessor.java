package dev.runcast.mergestream;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.merge.StateWrite;
import dev.runcast.mergestream.SignalTombstones.Due;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.ExecutionRow;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.util.List;
import java.util.function.IntFunction;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets the merge decide about each batch of one partition, and writes what came of it: the state, and the records of
 * the four output topics. It has no rules of its own.
 *
 * <p>Records arrive as bytes and are read here, not by a deserializer: what cannot be read becomes a rejected record
 * that says where it lies, and the partition goes on. Everything else that goes wrong is thrown, so that the transaction
 * is aborted and the same batch comes again.
 *
 * <p>Output records carry the time at which they are written. With the time of their update, a merge that catches up
 * after days would write records that retention takes away before anybody has read them; log time stands inside them.
 */
final class MergeProcessor implements Processor<byte[], byte[], byte[], byte[]> {
    /** The end of the year 9999, the last that a Timestamp can name. */
    private static final long LATEST_SECOND = 253_402_300_799L;

    private static final Logger LOG = LoggerFactory.getLogger(MergeProcessor.class);
    private static final int EXPIRED_AT_ONCE = 256;
    /** A slice every few seconds keeps up with hundreds of executions a second; more would be felt as latency. */
    private static final int SLICES = 16;

    private final MergeStreamSettings settings;
    private final MergeMetrics metrics;
    private final IntFunction<Watchdog> watchdogs;
    private @Nullable Task task;

    /** What a processor has once its task has started. */
    private record Task(
            ProcessorContext<byte[], byte[]> context,
            KeyValueStore<Bytes, byte[]> store,
            StoreReader state,
            Watchdog watchdog) {}

    private Instant logTime = Instant.EPOCH;

    /** @param watchdogs makes the one for a partition */
    MergeProcessor(MergeStreamSettings settings, MergeMetrics metrics, IntFunction<Watchdog> watchdogs) {
        this.settings = settings;
        this.metrics = metrics;
        this.watchdogs = watchdogs;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        KeyValueStore<Bytes, byte[]> store = context.getStateStore(MergeTopology.STORE);
        Watchdog watchdog = watchdogs.apply(context.taskId().partition());
        task = new Task(context, store, new StoreReader(store), watchdog);
        StoredHeaders.forEach(store, watchdog::found);
        context.schedule(settings.expireInterval(), PunctuationType.WALL_CLOCK_TIME, at -> expire());
        context.schedule(settings.watchdog().interval(), PunctuationType.WALL_CLOCK_TIME, at -> watchdog.tick());
    }

    @Override
    public void close() {
        if (task != null) {
            task.watchdog().close();
        }
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        Task here = task();
        RecordMetadata place = here.context()
                .recordMetadata()
                .orElseThrow(() -> new IllegalStateException("a record without a place in the log"));
        if (place.topic().equals(Topic.HEARTBEATS.topicName())) {
            heartbeat(record, place);
            here.watchdog().heartbeatsProcessed(place.offset() + 1);
        } else {
            update(record, place);
            here.watchdog().updatesProcessed(place.offset() + 1);
        }
    }

    private void update(Record<byte[], byte[]> record, RecordMetadata place) {
        Decoded<UpdateBatch> decoded = RecordCodec.UPDATES.decode(record.key(), record.value());
        if (decoded instanceof Decoded.Value<UpdateBatch> readable) {
            merge(record.key(), readable.value(), place);
        } else if (decoded instanceof Decoded.Unreadable<UpdateBatch> unreadable) {
            reject(record.key(), unreadable.problem(), place);
        } else {
            reject(record.key(), "value: null (expected: an UpdateBatch)", place);
        }
    }

    private void merge(byte[] key, UpdateBatch batch, RecordMetadata place) {
        requireKnown(batch.getRules(), place);
        Task here = task();
        MergeResult result = Merge.apply(here.state(), batch);
        if (result.header() != null) {
            // An execution that a newer build has begun.
            requireKnown(result.header().getRules(), place);
        }
        here.state().write(result.writes());
        for (ChangeBatch changes : result.changes()) {
            forward(key, changes.toByteArray(), MergeTopology.CHANGES);
        }
        Execution row = result.row();
        if (row != null) {
            forward(key, ExecutionRow.value(row), ExecutionRow.headers(row), MergeTopology.EXECUTIONS);
        }
        for (RejectedUpdate rejection : result.rejections()) {
            forward(key, stamped(rejection.toBuilder(), place), MergeTopology.REJECTED);
        }
        ExecutionSignals signals = result.signals();
        if (signals != null) {
            here.state().write(SignalTombstones.changed(here.state(), signals));
            forward(key, signals.toByteArray(), MergeTopology.SIGNALS);
        }
        metrics.merged(result.outcomes());
        here.watchdog().merged(batch, result);
        advance(batch);
    }

    private static void requireKnown(int rules, RecordMetadata place) {
        if (rules > Merge.NEWEST_RULES) {
            throw new UnknownRulesException(
                    RecordCodec.position(place.topic(), place.partition(), place.offset()), rules, Merge.NEWEST_RULES);
        }
    }

    /** Nobody can be told but whoever reads the rejections, so the record is named by its place and its key. */
    private void reject(byte @Nullable [] key, String problem, RecordMetadata place) {
        RejectedUpdate.Builder rejection = RejectedUpdate.newBuilder()
                .setCount(1)
                .setReason(RejectionReason.REJECTION_REASON_INVALID)
                .setMessage(problem);
        try {
            ExecutionKey execution = RecordCodec.key(key);
            rejection.setTenant(execution.tenant()).setExecutionId(execution.executionId());
        } catch (IllegalArgumentException e) {
            // A key that names no execution: the rejection is found by its place only.
        }
        LOG.warn(
                "{}: not an update, rejected: {}",
                RecordCodec.position(place.topic(), place.partition(), place.offset()),
                problem);
        metrics.poison();
        forward(key == null ? new byte[0] : key, stamped(rejection, place), MergeTopology.REJECTED);
    }

    private void heartbeat(Record<byte[], byte[]> record, RecordMetadata place) {
        Decoded<Heartbeat> decoded = RecordCodec.HEARTBEATS.decode(record.key(), record.value());
        if (decoded instanceof Decoded.Value<Heartbeat> readable) {
            task().watchdog().heard(readable.value());
        } else {
            // A heartbeat is not history: the next one says the same.
            metrics.unreadableHeartbeat();
            LOG.debug("{}: not a heartbeat", RecordCodec.position(place.topic(), place.partition(), place.offset()));
        }
    }

    /** By log time, but never ahead of the clock: one record stamped in the far future must not empty the state. */
    private void advance(UpdateBatch batch) {
        long seconds = batch.getReceivedAt().getSeconds();
        if (seconds < 0 || seconds > LATEST_SECOND) {
            // The merge has refused it; no time can be taken from it.
            return;
        }
        Instant received = Instant.ofEpochSecond(seconds, batch.getReceivedAt().getNanos());
        Instant now = Instant.ofEpochMilli(task().context().currentSystemTimeMs());
        Instant bounded = received.isAfter(now) ? now : received;
        if (bounded.isAfter(logTime)) {
            logTime = bounded;
        }
    }

    private void expire() {
        Task here = task();
        for (int slice = 0; slice < SLICES; slice++) {
            List<StateWrite> writes = Merge.expire(here.state(), logTime, EXPIRED_AT_ONCE);
            here.state().write(writes);
            List<Due> due = SignalTombstones.due(here.state(), logTime, EXPIRED_AT_ONCE);
            for (Due signal : due) {
                here.state().write(signal.writes());
                forward(signal.key(), null, MergeTopology.SIGNALS);
            }
            if (writes.isEmpty() && due.isEmpty()) {
                return;
            }
        }
    }

    private void forward(byte[] key, byte @Nullable [] value, String sink) {
        forward(key, value, new RecordHeaders(), sink);
    }

    @SuppressWarnings("NullAway") // A null value is a tombstone; Kafka's own types do not say so.
    private void forward(byte[] key, byte @Nullable [] value, Headers headers, String sink) {
        ProcessorContext<byte[], byte[]> context = task().context();
        context.forward(new Record<>(key, value, context.currentSystemTimeMs(), headers), sink);
    }

    private static byte[] stamped(RejectedUpdate.Builder rejection, RecordMetadata place) {
        return rejection
                .setPartition(place.partition())
                .setOffset(place.offset())
                .build()
                .toByteArray();
    }

    private Task task() {
        if (task == null) {
            throw new IllegalStateException("the task has not started");
        }
        return task;
    }
}
