package dev.runcast.sink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class SlicesTest {
    @Test
    void pollOfFullBatchesIsCutWhereItWouldTakeTooMuchMemory() {
        List<ConsumerRecord<byte[], byte[]>> poll = records(1000, 50_000);
        List<List<ConsumerRecord<byte[], byte[]>>> slices = Slices.of(poll);
        assertThat(slices).hasSizeGreaterThan(10).allSatisfy(slice -> assertThat(slice.size() * 50_000L)
                .isBetween(1L, (long) Slices.MAX_BYTES));
        assertThat(slices.stream().flatMap(List::stream)).containsExactlyElementsOf(poll);
    }

    @Test
    void ordinaryPollIsOnePiece() {
        List<ConsumerRecord<byte[], byte[]>> poll = records(1000, 300);
        assertThat(Slices.of(poll)).containsExactly(poll);
    }

    @Test
    void recordLargerThanTheBoundIsAPieceOfItsOwn() {
        List<ConsumerRecord<byte[], byte[]>> poll = records(3, Slices.MAX_BYTES + 1);
        assertThat(Slices.of(poll)).hasSize(3);
    }

    @Test
    void deletedRecordHasNoSizeAndIsTakenAlong() {
        List<ConsumerRecord<byte[], byte[]>> poll = records(2, ConsumerRecord.NULL_SIZE);
        assertThat(Slices.of(poll)).containsExactly(poll);
        assertThat(Slices.of(List.of())).isEmpty();
    }

    private static List<ConsumerRecord<byte[], byte[]>> records(int count, int valueSize) {
        return IntStream.range(0, count)
                .mapToObj(i -> new ConsumerRecord<>(
                        "changes",
                        0,
                        i,
                        0L,
                        TimestampType.CREATE_TIME,
                        3,
                        valueSize,
                        new byte[3],
                        new byte[0],
                        new RecordHeaders(),
                        java.util.Optional.empty()))
                .toList();
    }
}
