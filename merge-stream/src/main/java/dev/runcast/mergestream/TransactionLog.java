package dev.runcast.mergestream;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/** What the coordinators have decided, from the log they keep of it. No client is told a decision that is past. */
final class TransactionLog {
    static final String TOPIC = "__transaction_state";

    private static final Duration POLL = Duration.ofMillis(200);

    /** How a transaction ended. */
    enum Decision {
        COMMIT,
        ABORT,
        /** The newest entry says that it is going on. */
        NONE_YET
    }

    private TransactionLog() {}

    /**
     * Reads the whole log, which holds every decision since its last compaction.
     *
     * @return what was decided about the transaction of this epoch of the producer, where epochs are raised with each
     *     (KIP-890); empty when the log no longer tells
     * @throws TimeoutException when the log is not read within the time
     */
    static Set<Decision> decisions(
            Consumer<byte[], byte[]> consumer,
            Collection<TopicPartition> partitions,
            long producerId,
            int epoch,
            Duration limit) {
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> unread = new HashMap<>(consumer.endOffsets(partitions));
        Set<Decision> decisions = EnumSet.noneOf(Decision.class);
        boolean ongoing = false;
        long began = System.nanoTime();
        while (!unread.isEmpty()) {
            if (System.nanoTime() - began > limit.toNanos()) {
                throw new TimeoutException(TOPIC + ": not read within " + limit);
            }
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                Entry entry = Entry.of(record.value());
                if (entry == null || entry.producerId != producerId) {
                    continue;
                }
                // The epoch is raised with the decision. Any other is of a transaction whose beginning is
                // compacted away.
                if (ongoing && entry.epoch == epoch + 1 && entry.status == Entry.PREPARE_COMMIT) {
                    decisions.add(Decision.COMMIT);
                } else if (ongoing && entry.epoch == epoch + 1 && entry.status == Entry.PREPARE_ABORT) {
                    decisions.add(Decision.ABORT);
                }
                ongoing = entry.status == Entry.ONGOING && entry.epoch == epoch;
            }
            unread.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
        }
        if (ongoing) {
            decisions.add(Decision.NONE_YET);
        }
        return decisions;
    }

    /** The fields with which both versions of {@code TransactionLogValue} begin. */
    private record Entry(long producerId, int epoch, int status) {
        static final int ONGOING = 1;
        static final int PREPARE_COMMIT = 2;
        static final int PREPARE_ABORT = 3;

        private static final int LENGTH = 17;
        private static final int NEWEST_VERSION = 1;

        /** Null for what ends a transactional id, and for what is written in a way not known here. */
        static @Nullable Entry of(byte @Nullable [] value) {
            if (value == null || value.length < LENGTH) {
                return null;
            }
            ByteBuffer bytes = ByteBuffer.wrap(value);
            if (bytes.getShort() > NEWEST_VERSION) {
                return null;
            }
            long producerId = bytes.getLong();
            int epoch = bytes.getShort();
            bytes.getInt(); // the timeout
            return new Entry(producerId, epoch, bytes.get());
        }
    }
}
