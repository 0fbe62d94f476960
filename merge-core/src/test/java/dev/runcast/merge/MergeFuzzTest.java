package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.UpdateBatch;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Whatever can be parsed is answered, never thrown at. {@code -Druncast.seed=N} runs one of the drawn logs.
 */
final class MergeFuzzTest {
    private static final int LOGS = 3_000;
    private static final long[] NUMBERS = {
        0,
        1,
        -1,
        2,
        7,
        255,
        256,
        Integer.MAX_VALUE,
        Integer.MIN_VALUE,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        1_750_000_000_000L
    };
    private static final List<String> STRINGS = List.of(
            "",
            "acme",
            "run-1",
            "m1",
            "ask-1",
            "todo-1",
            " ",
            "../x",
            "é",
            "\u0000",
            "🚀",
            "message.text",
            "tool_call.",
            ".",
            "http://x",
            "x".repeat(65),
            "x".repeat(5_000));

    @Test
    void anythingThatCanBeParsedIsAnswered() {
        Long only = Long.getLong("runcast.seed");
        for (long seed = only == null ? 1 : only; seed <= (only == null ? LOGS : only); seed++) {
            try {
                run(new Random(seed), seed);
            } catch (RuntimeException | AssertionError | InvalidProtocolBufferException e) {
                throw new AssertionError(
                        "seed %d; rerun: mvn -pl merge-core test -Dtest=MergeFuzzTest -Druncast.seed=%d"
                                .formatted(seed, seed),
                        e);
            }
        }
    }

    private static void run(Random random, long seed) throws InvalidProtocolBufferException {
        MemoryState state = new MemoryState();
        ExecutionView view = ExecutionView.EMPTY;
        for (UpdateBatch sound : Histories.draw(seed).log()) {
            UpdateBatch batch = sound;
            int dice = random.nextInt(3);
            if (dice == 0) {
                batch = (UpdateBatch) spoilt(sound, random, 0);
            } else if (dice == 1) {
                batch = reparsed(sound, random);
            }
            MergeResult result = Merge.apply(state, batch);
            assertThat(result.outcomes()).hasSize(batch.getUpdatesCount());
            state.write(result.writes());
            if (StoredState.version(state) == 0) {
                // A time spoilt into another month: the id is new again.
                view = ExecutionView.EMPTY;
            }
            for (ChangeBatch made : result.changes()) {
                if (!made.getTenant().equals(Histories.TENANT)
                        || !made.getExecutionId().equals(Histories.EXECUTION)) {
                    continue;
                }
                for (Change change : made.getChangesList()) {
                    view = (change.getVersion() == 1 ? ExecutionView.EMPTY : view).apply(change);
                }
            }
        }
        if (view.version() > 0) {
            // What passed is still one story: the view is the state.
            assertThat(Canonical.json(view.execution())).isEqualTo(Canonical.json(StoredState.execution(state)));
        }
    }

    /** One field somewhere gets another value, or a field that nobody knows is added. */
    private static Message spoilt(Message message, Random random, int depth) {
        Message.Builder spoilt = message.toBuilder();
        List<FieldDescriptor> fields = message.getDescriptorForType().getFields();
        FieldDescriptor field = fields.get(random.nextInt(fields.size()));
        List<FieldDescriptor> inner = message.getAllFields().keySet().stream()
                .filter(f -> f.getJavaType() == FieldDescriptor.JavaType.MESSAGE && !f.isMapField())
                .toList();
        if (!inner.isEmpty() && random.nextInt(4) > 0 && depth < 6) {
            FieldDescriptor into = inner.get(random.nextInt(inner.size()));
            if (into.isRepeated()) {
                int index = random.nextInt(message.getRepeatedFieldCount(into));
                spoilt.setRepeatedField(
                        into, index, spoilt((Message) message.getRepeatedField(into, index), random, depth + 1));
            } else {
                spoilt.setField(into, spoilt((Message) message.getField(into), random, depth + 1));
            }
        } else if (random.nextInt(8) == 0) {
            spoilt.setUnknownFields(UnknownFieldSet.newBuilder()
                    .addField(
                            1_000 + random.nextInt(5),
                            UnknownFieldSet.Field.newBuilder()
                                    .addVarint(random.nextLong())
                                    .build())
                    .build());
        } else if (field.isMapField() || random.nextInt(10) == 0) {
            spoilt.clearField(field);
        } else if (field.isRepeated()) {
            spoilt.addRepeatedField(field, value(field, spoilt, random));
        } else {
            spoilt.setField(field, value(field, spoilt, random));
        }
        return spoilt.build();
    }

    private static Object value(FieldDescriptor field, Message.Builder of, Random random) {
        long number = random.nextBoolean() ? NUMBERS[random.nextInt(NUMBERS.length)] : random.nextLong();
        return switch (field.getJavaType()) {
            case INT -> (int) number;
            case LONG -> number;
            case BOOLEAN -> random.nextBoolean();
            case STRING -> STRINGS.get(random.nextInt(STRINGS.size()));
            case BYTE_STRING -> ByteString.EMPTY;
            case ENUM -> field.getEnumType().findValueByNumberCreatingIfUnknown(random.nextInt(40) - 3);
            case MESSAGE -> of.newBuilderForField(field).build();
            case FLOAT, DOUBLE -> throw new AssertionError("the contract has no " + field.getJavaType());
        };
    }

    /** Bytes are changed until the whole can be parsed. */
    private static UpdateBatch reparsed(UpdateBatch batch, Random random) throws InvalidProtocolBufferException {
        byte[] bytes = batch.toByteArray();
        for (int i = 0; i < 20; i++) {
            byte[] spoilt = bytes.clone();
            spoilt[random.nextInt(spoilt.length)] = (byte) random.nextInt();
            try {
                return UpdateBatch.parseFrom(spoilt);
            } catch (InvalidProtocolBufferException unparsable) {
                // another byte, then
            }
        }
        return UpdateBatch.parseFrom(bytes);
    }
}
