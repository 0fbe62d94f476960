package dev.runcast.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.UpdateBatch;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class RecordCodecTest {
    private static final UpdateBatch BATCH =
            UpdateBatch.newBuilder().setTenant("acme").setExecutionId("run-1").build();

    @Test
    void whatIsWrittenIsReadUnknownFieldsIncluded() {
        UpdateBatch batch = BATCH.toBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                500,
                                UnknownFieldSet.Field.newBuilder()
                                        .addLengthDelimited(ByteString.copyFromUtf8("later"))
                                        .build())
                        .build())
                .build();
        ProducerRecord<byte[], byte[]> record = RecordCodec.UPDATES.record(batch);
        assertThat(record.topic()).isEqualTo("runcast.updates.v1");
        assertThat(record.key()).asString(StandardCharsets.UTF_8).isEqualTo("acme/run-1");
        assertThat(RecordCodec.UPDATES.decode(record.key(), record.value())).isEqualTo(new Decoded.Value<>(batch));
    }

    @Test
    void garbageIsAValueThatSaysSo() {
        long seed = Long.getLong("seed", 99L);
        System.out.println("seed " + seed + "; again with: mvn -pl topics test -Dtest=RecordCodecTest -Dseed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 2_000; i++) {
            byte[] garbage = new byte[random.nextInt(300)];
            random.nextBytes(garbage);
            assertThat(RecordCodec.UPDATES.decode(utf8("acme/run-1"), garbage)).isInstanceOf(Decoded.Unreadable.class);
        }
    }

    @Test
    void noValueIsNoMessage() {
        assertThat(RecordCodec.SIGNALS.decode(utf8("acme/run-1"), null))
                .isEqualTo(new Decoded.Empty<ExecutionSignals>());
        assertThat(RecordCodec.SIGNALS
                        .tombstone(new ExecutionKey("acme", "run-1"))
                        .value())
                .isNull();
    }

    @Test
    void keyThatIsNotTheValuesIsUnreadable() {
        assertThat(unreadable(utf8("acme/run-2"), BATCH.toByteArray()))
                .isEqualTo("key: \"acme/run-2\" (expected: acme/run-1, as the value says)");
        assertThat(unreadable(null, BATCH.toByteArray()))
                .isEqualTo("key: null (expected: acme/run-1, as the value says)");
        assertThat(unreadable(
                        utf8("acme/run-1"), UpdateBatch.getDefaultInstance().toByteArray()))
                .startsWith("value: names no execution: tenant: ");
    }

    @Test
    void strangersKeyIsShownWithoutItsControlCharactersAndNotWhole() {
        String problem = unreadable(utf8("\u001b[2J\n" + "x".repeat(1000)), BATCH.toByteArray());
        assertThat(problem).hasSizeLessThan(160).doesNotContain("\u001b", "\n");
    }

    @Test
    void valueBeyondTheLimitIsNotParsed() {
        assertThat(unreadable(utf8("acme/run-1"), new byte[Topic.MAX_RECORD_BYTES + 1]))
                .isEqualTo("value: 4194305 bytes (expected: at most 4194304)");
    }

    @Test
    void valueThatNestsTooDeepIsUnreadable() {
        ByteString.Output groups = ByteString.newOutput();
        for (int i = 0; i < 10_000; i++) {
            groups.write(0x83);
            groups.write(0x3f);
        }
        assertThat(unreadable(utf8("acme/run-1"), groups.toByteString().toByteArray()))
                .contains("not a message of runcast.updates.v1");
    }

    @Test
    void recordThatMustBeReadableNamesWhereItLies() {
        assertThatThrownBy(() -> RecordCodec.UPDATES.require(new ConsumerRecord<>(
                        "runcast.updates.v1", 3, 17, utf8("acme/run-1"), new byte[] {(byte) 0xff})))
                .isInstanceOf(UnreadableRecordException.class)
                .hasMessageStartingWith(
                        "topic runcast.updates.v1, partition 3, offset 17: value: 1 bytes that are not a message");
        assertThatThrownBy(() -> RecordCodec.UPDATES.require(
                        new ConsumerRecord<>("runcast.updates.v1", 3, 18, utf8("acme/run-1"), null)))
                .hasMessage("topic runcast.updates.v1, partition 3, offset 18: value: null"
                        + " (expected: a message of runcast.updates.v1)");
    }

    @Test
    void keyNamesAnExecution() {
        assertThat(RecordCodec.key(utf8("acme/run-1"))).isEqualTo(new ExecutionKey("acme", "run-1"));
        assertThatThrownBy(() -> RecordCodec.key((byte @Nullable []) null))
                .hasMessage("key: null (expected: tenant/execution)");
    }

    private static String unreadable(byte @Nullable [] key, byte[] value) {
        Decoded<UpdateBatch> decoded = RecordCodec.UPDATES.decode(key, value);
        assertThat(decoded).isInstanceOf(Decoded.Unreadable.class);
        return ((Decoded.Unreadable<UpdateBatch>) decoded).problem();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
