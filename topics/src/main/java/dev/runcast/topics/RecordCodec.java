package dev.runcast.topics;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.UpdateBatch;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/**
 * How the records of a topic are written and read: the key is {@code tenant/execution} in UTF-8, the
 * value the message's bytes, and the key must say what the value says. Unknown fields are kept.
 * Consumers use Kafka's byte-array deserializers and this, so that a record nobody can read does not
 * throw inside a poll. Thread-safe.
 *
 * @param <T> the topic's message
 */
public final class RecordCodec<T extends Message> {
    /** {@link Topic#UPDATES}. */
    public static final RecordCodec<UpdateBatch> UPDATES = new RecordCodec<>(
            Topic.UPDATES, UpdateBatch.parser(), batch -> new ExecutionKey(batch.getTenant(), batch.getExecutionId()));

    /** {@link Topic#HEARTBEATS}. */
    public static final RecordCodec<Heartbeat> HEARTBEATS = new RecordCodec<>(
            Topic.HEARTBEATS,
            Heartbeat.parser(),
            heartbeat -> new ExecutionKey(heartbeat.getTenant(), heartbeat.getExecutionId()));

    /** {@link Topic#CHANGES}. */
    public static final RecordCodec<ChangeBatch> CHANGES = new RecordCodec<>(
            Topic.CHANGES, ChangeBatch.parser(), batch -> new ExecutionKey(batch.getTenant(), batch.getExecutionId()));

    /** {@link Topic#REJECTED}. */
    public static final RecordCodec<RejectedUpdate> REJECTED = new RecordCodec<>(
            Topic.REJECTED,
            RejectedUpdate.parser(),
            rejected -> new ExecutionKey(rejected.getTenant(), rejected.getExecutionId()));

    /** {@link Topic#SIGNALS}. */
    public static final RecordCodec<ExecutionSignals> SIGNALS = new RecordCodec<>(
            Topic.SIGNALS,
            ExecutionSignals.parser(),
            signals -> new ExecutionKey(signals.getTenant(), signals.getExecutionId()));

    /** The contract nests seven messages deep; garbage that nests deeper must not reach the stack's end. */
    private static final int MAX_DEPTH = 32;

    private final Topic topic;
    private final Parser<T> parser;
    private final Function<T, ExecutionKey> keyOf;

    private RecordCodec(Topic topic, Parser<T> parser, Function<T, ExecutionKey> keyOf) {
        this.topic = topic;
        this.parser = parser;
        this.keyOf = keyOf;
    }

    /** The topic it is for. */
    public Topic topic() {
        return topic;
    }

    /**
     * The execution that a value belongs to.
     *
     * @throws IllegalArgumentException when the value names none
     */
    public ExecutionKey keyOf(T value) {
        return keyOf.apply(value);
    }

    /**
     * A record with its key taken from the value.
     *
     * @throws IllegalArgumentException when the value names no execution
     */
    public ProducerRecord<byte[], byte[]> record(T value) {
        return new ProducerRecord<>(topic.topicName(), key(keyOf(value)), value.toByteArray());
    }

    /** A record without a value, which ends its key on a compacted topic. */
    public ProducerRecord<byte[], byte @Nullable []> tombstone(ExecutionKey key) {
        return new ProducerRecord<>(topic.topicName(), key(key), null);
    }

    /** The Kafka key of an execution: {@code tenant/execution} in UTF-8. */
    public static byte[] key(ExecutionKey key) {
        return key.toString().getBytes(StandardCharsets.UTF_8);
    }

    /**
     * The execution that a Kafka key names.
     *
     * @throws IllegalArgumentException when it names none
     */
    public static ExecutionKey key(byte @Nullable [] key) {
        if (key == null) {
            throw new IllegalArgumentException("key: null (expected: tenant/execution)");
        }
        return ExecutionKey.parse(new String(key, StandardCharsets.UTF_8));
    }

    /** Reads a record; never throws. */
    public Decoded<T> decode(byte @Nullable [] key, byte @Nullable [] value) {
        if (value == null) {
            return new Decoded.Empty<>();
        }
        if (value.length > topic.maxRecordBytes()) {
            return new Decoded.Unreadable<>(
                    "value: " + value.length + " bytes (expected: at most " + topic.maxRecordBytes() + ")");
        }
        T message;
        try {
            CodedInputStream input = CodedInputStream.newInstance(value);
            input.setRecursionLimit(MAX_DEPTH);
            message = parser.parseFrom(input);
        } catch (InvalidProtocolBufferException e) {
            return new Decoded.Unreadable<>("value: " + value.length + " bytes that are not a message of "
                    + topic.topicName() + ": " + e.getMessage());
        }
        return verify(key, message);
    }

    private Decoded<T> verify(byte @Nullable [] key, T message) {
        ExecutionKey said;
        try {
            said = keyOf.apply(message);
        } catch (IllegalArgumentException e) {
            return new Decoded.Unreadable<>("value: names no execution: " + e.getMessage());
        }
        if (key == null || !Arrays.equals(key, key(said))) {
            return new Decoded.Unreadable<>(
                    "key: " + (key == null ? "null" : printable(key)) + " (expected: " + said + ", as the value says)");
        }
        return new Decoded.Value<>(message);
    }

    /**
     * Reads a record that must be readable.
     *
     * @throws UnreadableRecordException when it is not, or has no value
     */
    public T require(ConsumerRecord<byte @Nullable [], byte @Nullable []> record) {
        Decoded<T> decoded = decode(record.key(), record.value());
        if (decoded instanceof Decoded.Value<T> readable) {
            return readable.value();
        }
        String problem = decoded instanceof Decoded.Unreadable<T> unreadable
                ? unreadable.problem()
                : "value: null (expected: a message of " + topic.topicName() + ")";
        throw new UnreadableRecordException(position(record) + ": " + problem);
    }

    /** Where a record lies, for messages: {@code topic runcast.updates.v1, partition 3, offset 17}. */
    public static String position(ConsumerRecord<?, ?> record) {
        return position(record.topic(), record.partition(), record.offset());
    }

    /** Where a record lies, for messages: {@code topic runcast.updates.v1, partition 3, offset 17}. */
    public static String position(String topic, int partition, long offset) {
        return "topic " + topic + ", partition " + partition + ", offset " + offset;
    }

    /** For where Kafka Streams wants one. */
    public Serializer<T> serializer() {
        return (name, value) -> value == null ? null : value.toByteArray();
    }

    /** Someone else's key may be anything: at most 64 characters of it, without control characters. */
    private static String printable(byte[] key) {
        String text = new String(key, 0, Math.min(key.length, 256), StandardCharsets.UTF_8)
                .codePoints()
                .limit(64)
                .map(c -> Character.isISOControl(c) ? '?' : c)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        return '"' + text + '"';
    }
}
