package dev.runcast.mergestream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What no door has looked at lies in the topics: each bad record becomes a rejection that says why and where, its own
 * execution goes on, and so does a neighbour in the same partition.
 */
class BadRecordTest {
    private static final Instant START = MergeDriver.START;
    private static final long EPOCH = START.toEpochMilli();
    private static final Batches RUN = Batches.of("run-1", EPOCH);
    private static final Batches NEIGHBOUR = Batches.of("neighbour", EPOCH);

    @TempDir
    Path folder;

    private MergeDriver merge;

    @BeforeEach
    void start() {
        merge = new MergeDriver(folder);
        merge.send(RUN.stream(
                START,
                1,
                Batches.started(),
                Batches.message("m1", EntryState.ENTRY_STATE_RUNNING),
                Batches.append("m1", 0, "Grüße")));
        merge.send(NEIGHBOUR.stream(START, 1, Batches.started()));
        merge.changes();
    }

    /** Whatever came: both executions take their next update as the next version. */
    @AfterEach
    void bothGoOn() {
        try {
            merge.send(NEIGHBOUR.stream(START, 2, Batches.message("n1", EntryState.ENTRY_STATE_COMPLETED)));
            assertThat(merge.changeBatches()).singleElement().satisfies(batch -> {
                assertThat(batch.getExecutionId()).isEqualTo("neighbour");
                assertThat(batch.getChangesList())
                        .extracting(Change::getVersion)
                        .containsExactly(2L);
            });
            assertThat(merge.rejected()).isEmpty();
        } finally {
            merge.close();
        }
    }

    static Stream<Arguments> badBatches() {
        return Stream.of(
                bad("a tenant with a blank", "INVALID", "tenant: \"a b\" (expected: ", b -> b.setTenant("a b")),
                bad("an empty tenant", "INVALID", "tenant: \"\" (expected: ", b -> b.setTenant("")),
                bad("an empty id", "INVALID", "execution_id: \"\" (expected: ", b -> b.setExecutionId("")),
                bad("a long id", "INVALID", "(expected: ", b -> b.setExecutionId("e".repeat(65))),
                bad("dots and dollars in an id", "INVALID", "\"a.$b\" (expected: ", b -> b.setExecutionId("a.$b")),
                bad("a NUL in an id", "INVALID", "(expected: ", b -> b.setExecutionId("a\0b")),
                bad("a right-to-left id", "INVALID", "(expected: ", b -> b.setExecutionId("\u202erun")),
                bad(
                        "a long name of a writer",
                        "INVALID",
                        "writer.name: ",
                        b -> b.setWriter(b.getWriter().toBuilder().setName("w".repeat(65)))),
                bad(
                        "a kind of writer nobody knows",
                        "INVALID",
                        "writer.kind: 77 (expected: ",
                        b -> b.setWriter(Writer.newBuilder().setKindValue(77))),
                bad(
                        "a workflow with sequences",
                        "INVALID",
                        "(expected: a request_id",
                        b -> b.setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_WORKFLOW))),
                bad("no position", "INVALID", "position: ", UpdateBatch.Builder::clearPosition),
                bad("sequence 0", "INVALID", "first_sequence: 0 (expected: ", b -> b.setFirstSequence(0)),
                bad(
                        "sequence 2^63",
                        "INVALID",
                        "first_sequence: -9223372036854775808 (expected: ",
                        b -> b.setFirstSequence(Long.MIN_VALUE)),
                bad(
                        "the last sequence",
                        "INVALID",
                        "first_sequence: 9223372036854775807 (expected: ",
                        b -> b.setFirstSequence(Long.MAX_VALUE)),
                bad("a gap", "SEQUENCE_GAP", "sequence: 9 (expected: 4)", b -> b.setFirstSequence(9)),
                bad("epoch 0 with sequences", "INVALID", "epoch: 0 (expected: ", b -> b.setEpoch(0)),
                bad(
                        "a lower epoch",
                        "FENCED",
                        "epoch: " + (EPOCH - 1) + " (expected: " + EPOCH + " or greater)",
                        b -> b.setEpoch(EPOCH - 1)),
                bad(
                        "epoch 2^63",
                        "INVALID",
                        "epoch: -9223372036854775808 (expected: ",
                        b -> b.setEpoch(Long.MIN_VALUE)),
                bad(
                        "the last epoch",
                        "INVALID",
                        "epoch: 9223372036854775807 (expected: ",
                        b -> b.setEpoch(Long.MAX_VALUE)),
                bad("rules 0", "INVALID", "rules: 0 (expected: ", b -> b.setRules(0)),
                bad("rules -1", "INVALID", "rules: -1 (expected: ", b -> b.setRules(-1)),
                bad("a long principal", "INVALID", "principal: ", b -> b.setPrincipal("p".repeat(129))),
                bad("a request id of blanks", "INVALID", "request_id: ", b -> b.setRequestId("  ")),
                bad("two updates in a request", "INVALID", "updates: \"2\" (expected: 1 with a request_id)", b -> b.setRequestId(
                                "r-1")
                        .addUpdates(Batches.started())));
    }

    private static Arguments bad(
            String name, String reason, String message, UnaryOperator<UpdateBatch.Builder> spoil) {
        return Arguments.of(name, reason, message, spoil);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badBatches")
    void badBatchIsRejectedAndItsRunGoesOn(
            String name, String reason, String message, UnaryOperator<UpdateBatch.Builder> spoil) {
        UpdateBatch spoilt =
                spoil.apply(RUN.stream(START, 4, Batches.started()).toBuilder()).build();
        byte[] key = (spoilt.getTenant() + "/" + spoilt.getExecutionId()).getBytes(UTF_8);
        merge.send(key, spoilt.toByteArray());

        assertThat(merge.rejected()).singleElement().satisfies(rejected -> {
            assertThat(rejected.getReason().name()).isEqualTo("REJECTION_REASON_" + reason);
            assertThat(rejected.getMessage()).contains(message);
            assertThat(rejected.getOffset()).isEqualTo(2);
        });
        assertThat(merge.changes()).isEmpty();
        merge.send(RUN.stream(START, 4, Batches.append("m1", 7, "!")));
        assertThat(merge.changes()).extracting(Change::getVersion).containsExactly(4L);
    }

    static Stream<Arguments> badUpdates() {
        return Stream.of(
                Arguments.of("an unknown kind of change", unknownChange(), "INVALID", "change: "),
                Arguments.of("no change", Update.getDefaultInstance(), "INVALID", "change: "),
                Arguments.of(
                        "an unknown phase",
                        Update.newBuilder()
                                .setPhaseChanged(PhaseChanged.newBuilder().setPhaseValue(99))
                                .build(),
                        "INVALID",
                        "phase: 99 (expected: "),
                Arguments.of(
                        "an unknown text",
                        Update.newBuilder()
                                .setTextAppended(TextAppended.newBuilder()
                                        .setEntryId("m1")
                                        .setFieldValue(99)
                                        .setOffset(7)
                                        .setText("x"))
                                .build(),
                        "INVALID",
                        "field: 99 (expected: "),
                Arguments.of(
                        "an unknown control",
                        Update.newBuilder()
                                .setControlRequested(
                                        ControlRequested.newBuilder().setControlValue(99))
                                .build(),
                        "INVALID",
                        "control: 99 (expected: "),
                Arguments.of(
                        "an unknown role",
                        edited(Batches.message("m2", EntryState.ENTRY_STATE_RUNNING), "r", 99),
                        "INVALID",
                        "role"),
                Arguments.of(
                        "an update over 256 KiB",
                        Batches.append("m1", 7, "x".repeat(256 * 1024)),
                        "TOO_LARGE",
                        "bytes (expected: at most 262144)"),
                Arguments.of(
                        "a flood of unknown fields in an entry",
                        flooded(Batches.message("m2", EntryState.ENTRY_STATE_RUNNING)),
                        "TOO_LARGE",
                        "expected: at most 65536"),
                Arguments.of(
                        "an append beyond the end",
                        Batches.append("m1", 8, "x"),
                        "TEXT_OFFSET",
                        "offset: 8 (expected: 7)"),
                Arguments.of(
                        "an append inside a character",
                        Batches.append("m1", 3, "x"),
                        "TEXT_OFFSET",
                        "offset: 3 (expected: 7)"),
                Arguments.of(
                        "an append at 2^63",
                        Batches.append("m1", Long.MIN_VALUE, "x"),
                        "INVALID",
                        "offset: -9223372036854775808 (expected: "),
                Arguments.of(
                        "an append at the last place",
                        Batches.append("m1", Long.MAX_VALUE, "x"),
                        "TEXT_OFFSET",
                        "offset: 9223372036854775807 (expected: 7)"),
                Arguments.of(
                        "an append to nothing", Batches.append("nobody", 0, "x"), "UNKNOWN_ENTRY", "entry_id: "),
                Arguments.of(
                        "a dot first in the key of a label", labelled(".a", "x"), "INVALID", "labels key: \".a\" (expected: "),
                Arguments.of(
                        "a dollar in the key of a label", labelled("$set", "x"), "INVALID", "labels key: \"$set\" (expected: "),
                Arguments.of(
                        "a NUL in the key of a label", labelled("a\0", "x"), "INVALID", "labels key: "),
                Arguments.of(
                        "an end that nobody can say", Batches.phase(Phase.PHASE_WAITING_FOR_APPROVAL), "INVALID", "phase: "),
                Arguments.of(
                        "a phase that cannot follow", Batches.phase(Phase.PHASE_PENDING), "TRANSITION", "(expected: "),
                Arguments.of(
                        "a time no clock has",
                        Batches.started().toBuilder()
                                .setOccurredAt(Timestamp.newBuilder().setSeconds(Long.MAX_VALUE))
                                .build(),
                        "INVALID",
                        "occurred_at: "));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("badUpdates")
    void badUpdateIsRejectedBetweenGoodOnes(String name, Update bad, String reason, String message) {
        merge.send(RUN.stream(
                START,
                4,
                Batches.message("before", EntryState.ENTRY_STATE_COMPLETED),
                bad,
                Batches.message("after", EntryState.ENTRY_STATE_COMPLETED)));

        assertThat(merge.rejected()).singleElement().satisfies(rejected -> {
            assertThat(rejected.getReason().name()).isEqualTo("REJECTION_REASON_" + reason);
            assertThat(rejected.getMessage()).contains(message);
            assertThat(rejected.getSequence()).isEqualTo(5);
            assertThat(rejected.getIndex()).isEqualTo(1);
        });
        assertThat(merge.changes())
                .extracting(change -> change.getEntries(0).getEntryId())
                .containsExactly("before", "after");
    }

    @Test
    void anAppendOfNothingIsAVersionAndLeavesTheTextAsItIs() {
        merge.send(RUN.stream(START, 4, Batches.append("m1", 7, "")));

        assertThat(merge.changes()).singleElement().satisfies(change -> {
            assertThat(change.getVersion()).isEqualTo(4);
            assertThat(change.getEntries(0).getTexts(0).getLengthBytes()).isEqualTo(7);
        });
        assertThat(merge.rejected()).isEmpty();
    }

    @Test
    void theSameSequenceWithOtherBytesIsADuplicateAndTheFirstWordsStay() {
        merge.send(RUN.stream(START, 3, Batches.append("m1", 0, "Other")));
        assertThat(merge.changes()).isEmpty();
        assertThat(merge.rejected()).isEmpty();
        assertThat(merge.count("duplicate", "none")).isEqualTo(1);
        merge.send(RUN.stream(START, 4, Batches.append("m1", 7, "!")));
        assertThat(merge.changes()).singleElement().satisfies(change -> assertThat(
                        change.getTexts(0).getOffset())
                .isEqualTo(7));
    }

    @Test
    void aRequestIdAgainWithOtherContentIsADuplicateAndTheFirstCounts() {
        merge.send(RUN.request(WriterKind.WRITER_KIND_WORKFLOW, START, "r-1", labelled("team", "first")));
        merge.send(RUN.request(WriterKind.WRITER_KIND_WORKFLOW, START, "r-1", labelled("team", "second")));

        assertThat(merge.changes()).singleElement().satisfies(change -> assertThat(
                        change.getExecution().getAttributes().getLabelsMap())
                .containsEntry("team", "first"));
        assertThat(merge.rejected()).isEmpty();
        assertThat(merge.count("duplicate", "none")).isEqualTo(1);
    }

    @Test
    void aPhaseAfterTheEndIsRejectedAndAnotherOutcomeIsRecorded() {
        Batches ended = Batches.of("ended", EPOCH);
        merge.send(ended.stream(
                START,
                1,
                Batches.phase(Phase.PHASE_COMPLETED),
                Batches.phase(Phase.PHASE_RUNNING),
                Batches.phase(Phase.PHASE_FAILED)));

        assertThat(merge.rejected()).singleElement().satisfies(rejected -> {
            assertThat(rejected.getReason().name()).isEqualTo("REJECTION_REASON_ENDED");
            assertThat(rejected.getSequence()).isEqualTo(2);
        });
        assertThat(merge.changes())
                .extracting(change -> change.getExecution().getPhase())
                .containsExactly(Phase.PHASE_COMPLETED, Phase.PHASE_COMPLETED);
    }

    /** A runner's clock says when things happened; what they do is decided by the log's own time. */
    @Test
    void clocksTwoHoursAheadAndBehindChangeNoOrder() {
        Update ahead = at(START.plus(Duration.ofHours(2)), Batches.append("m1", 7, " a"));
        Update behind = at(START.minus(Duration.ofHours(2)), Batches.append("m1", 9, " b"));
        merge.send(RUN.stream(START.plusSeconds(60), 4, ahead, behind));
        // A door whose clock is behind the one that stamped before it.
        merge.send(RUN.stream(START.minus(Duration.ofHours(2)), 6, Batches.append("m1", 11, " c")));

        List<Change> changes = merge.changes();
        assertThat(changes).extracting(Change::getVersion).containsExactly(4L, 5L, 6L);
        assertThat(changes)
                .extracting(change -> change.getReceivedAt().getSeconds())
                .containsOnly(START.plusSeconds(60).getEpochSecond());
        assertThat(changes.get(0).getOccurredAt().getSeconds())
                .isEqualTo(START.plus(Duration.ofHours(2)).getEpochSecond());
        assertThat(merge.rejected()).isEmpty();
    }

    @Test
    void aBatchThatNoDoorHasStampedDoesNotTurnTimeBack() {
        merge.send(RUN.stream(START, 4, Batches.append("m1", 7, "!")).toBuilder()
                .clearReceivedAt()
                .build());
        assertThat(merge.changes()).singleElement().satisfies(change -> assertThat(
                        change.getReceivedAt().getSeconds())
                .isEqualTo(START.getEpochSecond()));
    }

    @Test
    void anEntryThatEndsBeforeItBeganIsKeptAsItWasSaid() {
        Update contradiction = Batches.message("m2", EntryState.ENTRY_STATE_COMPLETED).toBuilder()
                .setEntryUpserted(Batches.message("m2", EntryState.ENTRY_STATE_COMPLETED).getEntryUpserted().toBuilder()
                        .setEntry(Batches.message("m2", EntryState.ENTRY_STATE_COMPLETED)
                                .getEntryUpserted()
                                .getEntry()
                                .toBuilder()
                                .setStartedAt(Times.timestamp(EPOCH + 7_200_000))
                                .setEndedAt(Times.timestamp(EPOCH - 7_200_000))))
                .build();
        merge.send(RUN.stream(START, 4, contradiction));

        assertThat(merge.changes()).singleElement().satisfies(change -> {
            assertThat(change.getEntries(0).getStartedAt().getSeconds())
                    .isEqualTo(START.getEpochSecond() + 7200);
            assertThat(change.getEntries(0).getEndedAt().getSeconds()).isEqualTo(START.getEpochSecond() - 7200);
        });
    }

    @Test
    void textOfNulAndRightToLeftAndDollarsIsKeptByteForByte() {
        String text = "\0\u0001 \u202eשלום\u202c $set .a \ufeff \ud83d\ude86";
        merge.send(RUN.stream(START, 4, Batches.append("m1", 7, text)));
        assertThat(merge.changes()).singleElement().satisfies(change -> assertThat(
                        change.getTexts(0).getText())
                .isEqualTo(text));
    }

    /** A Java string may hold half a character; UTF-8 has no bytes for it, so what says so is no message. */
    @Test
    void halfACharacterIsNoMessage() {
        byte[] good = RUN.stream(START, 4, Batches.append("m1", 7, "XYZ")).toByteArray();
        byte[] surrogate = {(byte) 0xed, (byte) 0xa0, (byte) 0x80};
        byte[] bad = replaced(good, "XYZ".getBytes(UTF_8), surrogate);
        merge.send(RUN.kafkaKey(), bad);

        assertThat(merge.rejected()).singleElement().satisfies(rejected -> assertThat(rejected.getMessage())
                .contains("bytes that are not a message of runcast.updates.v1")
                .contains("UTF-8"));
        assertThat(merge.changes()).isEmpty();
    }

    @Test
    void tenThousandLevelsOfNestingAreNoMessage() {
        merge.send(RUN.kafkaKey(), nested(10_000));
        assertThat(merge.rejected()).singleElement().satisfies(rejected -> {
            assertThat(rejected.getMessage()).contains("not a message of runcast.updates.v1");
            assertThat(rejected.getExecutionId()).isEqualTo("run-1");
        });
    }

    /** Inside what is not known bytes are bytes, however deep they would be. */
    @Test
    void nestingThatNobodyLooksAtPassesAndIsNotKept() {
        byte[] deep = new byte[0];
        for (int level = 0; level < 10_000; level++) {
            deep = wrapped(deep);
        }
        Update update = Batches.append("m1", 7, "!").toBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                1000,
                                UnknownFieldSet.Field.newBuilder()
                                        .addLengthDelimited(ByteString.copyFrom(deep))
                                        .build())
                        .build())
                .build();
        merge.send(RUN.stream(START, 4, update));
        assertThat(merge.changes()).singleElement().satisfies(change -> assertThat(change.getSerializedSize())
                .isLessThan(1000));
    }

    @Test
    void aBatchOverEveryLimitOfTheDoorsIsMergedUpdateByUpdate() {
        Update[] updates = new Update[2000];
        for (int i = 0; i < updates.length; i++) {
            updates[i] = Batches.append("m1", 7 + 1000L * i, "x".repeat(1000));
        }
        merge.send(RUN.stream(START, 4, updates));

        // Cut where the changes themselves reach 512 KiB; a tag and a length stand before each.
        assertThat(merge.changeBatches())
                .hasSizeGreaterThan(3)
                .allSatisfy(batch -> assertThat(batch.getSerializedSize()).isLessThan(520 * 1024));
        assertThat(merge.rejected()).isEmpty();
    }

    @Test
    void badHeartbeatsAreCountedAndChangeNothing() {
        merge.beat("no slash".getBytes(UTF_8), new byte[] {1});
        merge.beat(RUN.kafkaKey(), nested(10_000));
        merge.beat(RUN.kafkaKey(), new byte[0]);
        merge.beat(
                RUN.kafkaKey(),
                dev.runcast.v1.Heartbeat.newBuilder()
                        .setTenant("acme")
                        .setExecutionId("other")
                        .build()
                        .toByteArray());
        merge.beat(RUN.kafkaKey(), null);
        assertThat(merge.registry
                        .get("runcast.merge.heartbeats.unreadable")
                        .counter()
                        .count())
                .isEqualTo(5);
        assertThat(merge.changes()).isEmpty();
        assertThat(merge.rejected()).isEmpty();
    }

    @Test
    void whatWasRejectedCanBeReadByTheSink() {
        merge.send("acme/run-1".getBytes(UTF_8), null);
        assertThat(merge.read(Topic.REJECTED)).singleElement().satisfies(record -> assertThat(
                        RecordCodec.REJECTED.decode(record.key(), record.value()))
                .isInstanceOf(dev.runcast.topics.Decoded.Value.class));
    }

    private static Update unknownChange() {
        return Update.newBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                99,
                                UnknownFieldSet.Field.newBuilder()
                                        .addLengthDelimited(ByteString.copyFromUtf8("from the future"))
                                        .build())
                        .build())
                .build();
    }

    private static Update edited(Update message, String text, int role) {
        Update.Builder edited = message.toBuilder();
        edited.getEntryUpsertedBuilder()
                .getEntryBuilder()
                .setMessage(ChatMessage.newBuilder().setText(text).setRoleValue(role));
        return edited.build();
    }

    /** Thirty thousand fields that no contract has. */
    private static Update flooded(Update message) {
        UnknownFieldSet.Builder flood = UnknownFieldSet.newBuilder();
        for (int field = 1; field <= 30_000; field++) {
            flood.addField(
                    10_000 + field,
                    UnknownFieldSet.Field.newBuilder().addVarint(field).build());
        }
        Update.Builder flooded = message.toBuilder();
        flooded.getEntryUpsertedBuilder().getEntryBuilder().setUnknownFields(flood.build());
        return flooded.build();
    }

    private static Update labelled(String key, String value) {
        return Update.newBuilder()
                .setExecutionPatched(ExecutionPatched.newBuilder().putLabels(key, value))
                .build();
    }

    private static Update at(Instant occurred, Update update) {
        return update.toBuilder()
                .setOccurredAt(Times.timestamp(occurred.toEpochMilli()))
                .build();
    }

    /** Groups inside groups, which a reader has to follow. */
    private static byte[] nested(int levels) {
        byte[] groups = new byte[levels * 2];
        for (int level = 0; level < levels; level++) {
            groups[level] = (byte) (15 << 3 | 3);
            groups[levels + level] = (byte) (15 << 3 | 4);
        }
        return groups;
    }

    private static byte[] wrapped(byte[] inner) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(inner.length + 8);
            CodedOutputStream out = CodedOutputStream.newInstance(bytes);
            out.writeByteArray(1, inner);
            out.flush();
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static byte[] replaced(byte[] bytes, byte[] old, byte[] other) {
        for (int at = 0; at + old.length <= bytes.length; at++) {
            if (java.util.Arrays.equals(bytes, at, at + old.length, old, 0, old.length)) {
                byte[] result = bytes.clone();
                System.arraycopy(other, 0, result, at, other.length);
                return result;
            }
        }
        throw new IllegalArgumentException("old: not there");
    }
}
