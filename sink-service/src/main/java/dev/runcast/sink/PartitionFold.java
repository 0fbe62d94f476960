package dev.runcast.sink;

import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Merges one partition of the log again, as merge-stream did: the same function, the same order. Holds the merge's
 * state of what has not expired by log time, which has no texts. Not thread-safe.
 */
final class PartitionFold implements UpdateLog.Reader {
    private static final int EXPIRE_EVERY = 5_000;

    private final Listener listener;
    private final Counts counts;
    private final InstantSource clock;
    private final ReplayState state = new ReplayState();
    private long logSeconds;
    private int untilExpiry = EXPIRE_EVERY;

    /** What comes of the log. */
    interface Listener {
        /** Whether an execution's updates are to be merged at all. */
        boolean wants(String tenant, String executionId);

        void changed(ChangeBatch batch);

        /** @param rejected with its place in the log */
        void rejected(RejectedUpdate rejected);

        /** The partition is at its end. */
        void end();
    }

    /** How much has been read, by all partitions together. */
    static final class Counts {
        final AtomicLong records = new AtomicLong();
        final AtomicLong updates = new AtomicLong();
    }

    PartitionFold(Listener listener, Counts counts, InstantSource clock) {
        this.listener = listener;
        this.counts = counts;
        this.clock = clock;
    }

    @Override
    public void take(ConsumerRecord<byte[], byte[]> record) {
        // What is not an update was rejected as it came by, and has no part in any state.
        if (RecordCodec.UPDATES.decode(record.key(), record.value()) instanceof Decoded.Value<UpdateBatch> readable) {
            UpdateBatch batch = readable.value();
            if (listener.wants(batch.getTenant(), batch.getExecutionId())) {
                merge(record, batch);
            }
            expire(batch.getReceivedAt().getSeconds());
            counts.updates.addAndGet(batch.getUpdatesCount());
        }
        counts.records.incrementAndGet();
    }

    @Override
    public void end() {
        listener.end();
    }

    private void merge(ConsumerRecord<byte[], byte[]> record, UpdateBatch batch) {
        if (batch.getRules() > Merge.NEWEST_RULES) {
            throw new RebuildException("%s: rules %d (expected: at most %d, which this build knows)"
                    .formatted(RecordCodec.position(record), batch.getRules(), Merge.NEWEST_RULES));
        }
        MergeResult result = Merge.apply(state, batch);
        state.write(result.writes());
        result.changes().forEach(listener::changed);
        for (RejectedUpdate rejected : result.rejections()) {
            listener.rejected(rejected.toBuilder()
                    .setPartition(record.partition())
                    .setOffset(record.offset())
                    .build());
        }
    }

    private void expire(long receivedSeconds) {
        if (receivedSeconds > logSeconds && receivedSeconds <= clock.instant().getEpochSecond()) {
            logSeconds = receivedSeconds;
        }
        if (--untilExpiry == 0) {
            untilExpiry = EXPIRE_EVERY;
            state.write(Merge.expire(state, Instant.ofEpochSecond(logSeconds), EXPIRE_EVERY));
        }
    }
}
