package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.mergestream.TransactionLog.Decision;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.MockConsumer;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TransactionLogTest {
    private static final TopicPartition LOG = new TopicPartition(TransactionLog.TOPIC, 0);
    private static final int EMPTY = 0;
    private static final int ONGOING = 1;
    private static final int PREPARE_COMMIT = 2;
    private static final int PREPARE_ABORT = 3;
    private static final int COMPLETE_COMMIT = 4;
    private static final int COMPLETE_ABORT = 5;

    private final MockConsumer<byte[], byte[]> consumer = new MockConsumer<>("earliest");
    private long end;

    @Test
    void decisionIsOfTheEpochThatWasOngoingBeforeIt() {
        entry(7, 3, ONGOING);
        entry(7, 4, PREPARE_ABORT);
        entry(7, 4, COMPLETE_ABORT);
        entry(7, 4, ONGOING);
        entry(7, 5, PREPARE_COMMIT);
        entry(7, 5, COMPLETE_COMMIT);
        assertThat(decisions(7, 3)).containsExactly(Decision.ABORT);
    }

    @Test
    void laterAbortSaysNothingOfWhatWasCommitted() {
        entry(7, 3, ONGOING);
        entry(7, 4, PREPARE_COMMIT);
        entry(7, 4, ONGOING);
        entry(7, 5, PREPARE_ABORT);
        assertThat(decisions(7, 3)).containsExactly(Decision.COMMIT);
    }

    @Test
    void decisionBehindAHoleOfTheLogIsAnothersDecision() {
        entry(7, 3, ONGOING);
        entry(7, 5, PREPARE_ABORT);
        assertThat(decisions(7, 3)).isEmpty();
    }

    @Test
    void whatGoesOnIsNotDecided() {
        entry(7, 2, EMPTY);
        entry(7, 3, ONGOING);
        entry(7, 3, ONGOING);
        assertThat(decisions(7, 3)).containsExactly(Decision.NONE_YET);
    }

    @Test
    void otherProducersAndWhatCannotBeReadSayNothing() {
        entry(8, 3, ONGOING);
        entry(8, 4, PREPARE_ABORT);
        entry(7, 3, ONGOING);
        append(null);
        append(new byte[3]);
        append(value(2, 7, 4, PREPARE_ABORT));
        entry(8, 4, ONGOING);
        assertThat(decisions(7, 3)).containsExactly(Decision.NONE_YET);
    }

    private Set<Decision> decisions(long producerId, int epoch) {
        return TransactionLog.decisions(consumer, List.of(LOG), producerId, epoch, Duration.ofSeconds(10));
    }

    private void entry(long producerId, int epoch, int status) {
        append(value(1, producerId, epoch, status));
    }

    private void append(byte[] value) {
        long offset = end++;
        consumer.updateBeginningOffsets(Map.of(LOG, 0L));
        consumer.updateEndOffsets(Map.of(LOG, end));
        // The records of one poll; added once it is asked for, since only then the partition is assigned.
        consumer.schedulePollTask(() ->
                consumer.addRecord(new ConsumerRecord<>(LOG.topic(), LOG.partition(), offset, new byte[0], value)));
    }

    private static byte[] value(int version, long producerId, int epoch, int status) {
        return ByteBuffer.allocate(24)
                .putShort((short) version)
                .putLong(producerId)
                .putShort((short) epoch)
                .putInt(10_000)
                .put((byte) status)
                .array();
    }
}
