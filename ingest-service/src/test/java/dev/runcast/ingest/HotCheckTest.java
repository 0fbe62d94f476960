package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.Reference;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.Todo;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Usage;
import dev.runcast.v1.Writer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class HotCheckTest {
    private static final String[] IDS = {
        "a",
        "Z9",
        "message-1",
        "x_y-z",
        "a".repeat(64),
        "",
        "a".repeat(65),
        "-a",
        "_",
        "a b",
        "a.b",
        "ä",
        "a\n",
        "a\u0000",
        "\uD83D\uDE00",
        "a/b",
        "A\u0130",
        "id "
    };
    private static final String[] NAMES = {
        "",
        "search",
        "n".repeat(128),
        "n".repeat(129),
        "n".repeat(256),
        "n".repeat(257),
        "\uD83D\uDE00".repeat(128),
        "\uD83D\uDE00".repeat(129),
        "\uD83D\uDE00".repeat(256),
        "ß".repeat(200)
    };
    private static final long[] NUMBERS = {0, 1, 2, 1_000, -1, Long.MIN_VALUE, Long.MAX_VALUE};
    private static final long[] USAGE = {
        0, 1, 1_000, 5_100, 999_999_999_999L, 1_000_000_000_000L, 1_000_000_000_001L, -1, Long.MAX_VALUE
    };
    private static final int[] ENUMS = {0, 1, 2, 3, 4, 5, 8, 9, -1, 77};

    /** What the hot check lets pass keeps the contract; and of what it is for, it lets pass all that does. */
    @Test
    void hotCheckAndContractAgree() {
        long seed = Long.getLong("seed", 4711L);
        System.out.println(
                "seed " + seed + "; again with: mvn -pl ingest-service test -Dtest=HotCheckTest -Dseed=" + seed);
        Random random = new Random(seed);
        int passed = 0;
        int refused = 0;
        int asked = 0;
        for (int i = 0; i < 20_000; i++) {
            Update update = update(random);
            boolean hot = HotCheck.update(update);
            boolean keeps = keeps(update);
            if (hot) {
                assertThat(keeps).as("contract on %s", update).isTrue();
                passed++;
            } else if (keeps) {
                assertThat(unusual(update)).as("not recognised: %s", update).isTrue();
                asked++;
            } else {
                refused++;
            }
        }
        assertThat(passed).isGreaterThan(2_000);
        assertThat(refused).isGreaterThan(2_000);
        assertThat(asked).isGreaterThan(100);
    }

    @Test
    void hotCheckOfTheHeaderAndContractAgree() {
        long seed = Long.getLong("seed", 4712L);
        System.out.println(
                "seed " + seed + "; again with: mvn -pl ingest-service test -Dtest=HotCheckTest -Dseed=" + seed);
        Random random = new Random(seed);
        int passed = 0;
        for (int i = 0; i < 20_000; i++) {
            UpdateBatch batch = header(random);
            boolean hot = HotCheck.header(batch);
            boolean keeps = keeps(batch);
            if (hot) {
                assertThat(keeps).as("contract on %s", batch).isTrue();
                passed++;
            } else {
                // A traceparent of many surrogate pairs is short in characters: that alone may be asked for.
                assertThat(keeps && batch.getTraceparent().length() <= 128)
                        .as("not recognised: %s", batch)
                        .isFalse();
            }
        }
        assertThat(passed).isGreaterThan(200);
    }

    private static boolean unusual(Update update) {
        if (!update.hasEntryUpserted()) {
            return !update.hasTextAppended();
        }
        Entry entry = update.getEntryUpserted().getEntry();
        return entry.hasFailure()
                || entry.hasTodo()
                || entry.getMessage().hasTextReference()
                || entry.getToolCall().hasResultReference()
                || entry.getMessage().getName().length() > 128
                || entry.getUsage().getModel().length() > 128
                || entry.getToolCall().getName().length() > 256;
    }

    private static boolean keeps(com.google.protobuf.Message message) {
        try {
            Contract.check(message);
            return true;
        } catch (DoorException e) {
            return false;
        }
    }

    private static Update update(Random random) {
        Update.Builder update = Update.newBuilder();
        switch (random.nextInt(8)) {
            case 0 -> {}
            case 1 -> update.setOmitted(Omitted.newBuilder().setCount(pick(random, NUMBERS)));
            case 2, 3 ->
                update.setTextAppended(TextAppended.newBuilder()
                        .setEntryId(id(random))
                        .setFieldValue(pick(random, ENUMS))
                        .setOffset(pick(random, NUMBERS))
                        .setText(pick(random, NAMES)));
            default -> update.setEntryUpserted(upserted(random));
        }
        return update.build();
    }

    private static EntryUpserted upserted(Random random) {
        EntryUpserted.Builder upserted = EntryUpserted.newBuilder();
        if (random.nextInt(20) == 0) {
            return upserted.build();
        }
        Entry.Builder entry = Entry.newBuilder().setEntryId(id(random));
        if (random.nextBoolean()) {
            entry.setParentId(id(random));
        }
        if (random.nextBoolean()) {
            entry.setStateValue(pick(random, ENUMS));
        }
        if (random.nextInt(10) == 0) {
            entry.setFailure(Failure.newBuilder().setCode(pick(random, NAMES)));
        }
        switch (random.nextInt(5)) {
            case 0 -> {
                ChatMessage.Builder message = ChatMessage.newBuilder().setText("words");
                if (random.nextBoolean()) {
                    message.setRoleValue(pick(random, ENUMS));
                }
                if (random.nextBoolean()) {
                    message.setName(pick(random, NAMES));
                }
                if (random.nextInt(10) == 0) {
                    message.setTextReference(Reference.newBuilder().setUri(pick(random, NAMES)));
                }
                entry.setMessage(message);
            }
            case 1 -> {
                ToolCall.Builder call =
                        ToolCall.newBuilder().setName(pick(random, NAMES)).setArguments("{}");
                if (random.nextInt(10) == 0) {
                    call.setResultReference(Reference.newBuilder().setUri("x").setSizeBytes(pick(random, NUMBERS)));
                }
                entry.setToolCall(call);
            }
            case 2 -> entry.setTodo(Todo.newBuilder().setPosition(random.nextInt(400)));
            case 3 -> entry.setUsage(usage(random));
            default -> {}
        }
        return upserted.setEntry(entry).build();
    }

    /** Mostly within the bounds, so that each bound is what decides now and then. */
    private static Usage usage(Random random) {
        Usage.Builder usage = Usage.newBuilder();
        if (random.nextBoolean()) {
            usage.setModel(pick(random, NAMES));
        }
        if (random.nextBoolean()) {
            usage.setInputTokens(pick(random, USAGE));
        }
        if (random.nextBoolean()) {
            usage.setOutputTokens(pick(random, USAGE));
        }
        if (random.nextBoolean()) {
            usage.setCachedInputTokens(pick(random, USAGE));
        }
        if (random.nextBoolean()) {
            usage.setCostMicros(pick(random, USAGE));
        }
        return usage.build();
    }

    private static UpdateBatch header(Random random) {
        UpdateBatch.Builder batch = UpdateBatch.newBuilder()
                .setExecutionId(id(random))
                .setEpoch(pick(random, NUMBERS))
                .addUpdates(Update.newBuilder().setOmitted(Omitted.newBuilder().setCount(1)));
        if (random.nextInt(20) > 0) {
            batch.setWriter(Writer.newBuilder()
                    .setKindValue(pick(random, ENUMS))
                    .setName(random.nextBoolean() ? "" : id(random)));
        }
        switch (random.nextInt(5)) {
            case 0, 1 -> batch.setFirstSequence(pick(random, NUMBERS));
            case 2, 3 -> batch.setRequestId(id(random));
            default -> {}
        }
        if (random.nextBoolean()) {
            batch.setTraceparent(pick(random, NAMES));
        }
        return batch.build();
    }

    private static String id(Random random) {
        // Good ones more often than not, so that what stands beside them is reached.
        return IDS[random.nextInt(3) > 0 ? random.nextInt(5) : random.nextInt(IDS.length)];
    }

    private static String pick(Random random, String[] values) {
        return values[random.nextInt(values.length)];
    }

    private static long pick(Random random, long[] values) {
        return values[random.nextInt(values.length)];
    }

    private static int pick(Random random, int[] values) {
        return values[random.nextInt(3) > 0 ? 1 + random.nextInt(4) : random.nextInt(values.length)];
    }
}
