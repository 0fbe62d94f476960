package dev.runcast.mergestream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.merge.ExecutionView;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WriterKind;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MergeTopologyTest {
    private static final Instant START = MergeDriver.START;
    private static final Batches RUN = Batches.of("run-1", START.toEpochMilli());

    @TempDir
    Path folder;

    private MergeDriver merge;

    @BeforeEach
    void start() {
        merge = new MergeDriver(folder);
    }

    @AfterEach
    void stop() {
        merge.close();
    }

    @Test
    void oneBatchMakesConsecutiveChangesInOneRecord() {
        merge.send(RUN.stream(START, 1, conversation()));

        assertThat(merge.changeBatches()).singleElement().satisfies(batch -> {
            assertThat(batch.getTenant()).isEqualTo("acme");
            assertThat(batch.getExecutionId()).isEqualTo("run-1");
            assertThat(batch.getChangesList()).extracting(Change::getVersion).containsExactly(1L, 2L, 3L, 4L, 5L, 6L);
        });
        assertThat(merge.rejected()).isEmpty();
        assertThat(merge.count("applied", "none")).isEqualTo(6);
    }

    @Test
    void aResentBatchMakesNothing() {
        merge.send(RUN.stream(START, 1, conversation()));
        merge.changes();
        merge.read(Topic.EXECUTIONS);
        merge.read(Topic.SIGNALS);

        merge.send(RUN.stream(START.plusSeconds(1), 1, conversation()));

        assertThat(merge.changes()).isEmpty();
        assertThat(merge.read(Topic.EXECUTIONS)).isEmpty();
        assertThat(merge.read(Topic.SIGNALS)).isEmpty();
        assertThat(merge.rejected()).isEmpty();
        assertThat(merge.count("duplicate", "none")).isEqualTo(6);
    }

    @Test
    void howUpdatesAreCutIntoBatchesDoesNotMatter() {
        List<Update> updates = longConversation();
        merge.send(RUN.stream(START, 1, updates));
        List<Change> expected = merge.changes();

        long seed = Long.getLong("runcast.seed", System.nanoTime());
        for (int round = 0; round < 20; round++) {
            Random random = new Random(seed + round);
            Batches run = Batches.of("cut-" + round, START.toEpochMilli());
            for (int from = 0; from < updates.size(); ) {
                int to = Math.min(updates.size(), from + 1 + random.nextInt(5));
                merge.send(run.stream(START, from + 1, updates.subList(from, to)));
                from = to;
            }
            assertThat(merge.changes().stream().map(change -> renamed(change, "run-1")))
                    .describedAs(
                            "seed %d (again: mvn -pl merge-stream test -Dtest=MergeTopologyTest"
                                    + " -DargLine=-Druncast.seed=%d)",
                            seed, seed)
                    .isEqualTo(expected);
        }
    }

    @Test
    void theChangesBuildWhatWasSaid() {
        merge.send(RUN.stream(START, 1, conversation()));

        ExecutionView view = ExecutionView.EMPTY;
        for (Change change : merge.changes()) {
            view = view.apply(change);
        }
        assertThat(view.version()).isEqualTo(6);
        assertThat(view.execution().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(view.entries()).singleElement().satisfies(entry -> {
            assertThat(entry.getEntryId()).isEqualTo("m1");
            assertThat(entry.getMessage().getText()).isEqualTo("Grüße, world");
        });
    }

    @Test
    void theRowIsFlatJsonWithCloudEventsHeaders() {
        merge.send(RUN.stream(START, 1, Batches.declared("planner", ""), Batches.started()));

        List<TestRecord<byte[], byte[]>> rows = merge.read(Topic.EXECUTIONS);
        assertThat(rows).singleElement().satisfies(row -> {
            assertThat(new String(row.key(), UTF_8)).isEqualTo("acme/run-1");
            assertThat(new String(row.value(), UTF_8))
                    .contains("\"execution_id\":\"run-1\"", "\"agent\":\"planner\"", "\"version\":2")
                    .contains("\"phase\":\"RUNNING\"", "\"epoch\":" + START.toEpochMilli());
            assertThat(header(row, "ce_id")).isEqualTo("acme/run-1/2");
            assertThat(header(row, "ce_specversion")).isEqualTo("1.0");
            assertThat(header(row, "content-type")).isEqualTo("application/json");
            assertThat(row.headers().headers("ce_type")).hasSize(1);
            assertThat(row.headers().headers("ce_source")).hasSize(1);
            assertThat(row.headers().headers("ce_time")).hasSize(1);
        });
    }

    @Test
    void whatIsWrittenCarriesTheTimeOfWritingAndNoHeadersOfItsUpdate() {
        merge.jump(Duration.ofDays(20));
        merge.send(RUN.stream(START, 1, conversation()));

        TestRecord<byte[], byte[]> record = merge.read(Topic.CHANGES).get(0);
        assertThat(record.getRecordTime()).isEqualTo(START.plus(Duration.ofDays(20)));
        assertThat(record.headers()).isEmpty();
    }

    @Test
    void aGapIsRejectedWithItsPlaceInTheLogAndTheRunnerIsAskedToSendAgain() {
        merge.send(RUN.stream(START, 1, Batches.started()));
        merge.read(Topic.SIGNALS);
        merge.send(RUN.stream(START, 3, Batches.message("m1", EntryState.ENTRY_STATE_RUNNING)));

        assertThat(merge.rejected()).singleElement().satisfies(rejected -> {
            assertThat(rejected.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_SEQUENCE_GAP);
            assertThat(rejected.getSequence()).isEqualTo(3);
            assertThat(rejected.getPartition()).isZero();
            assertThat(rejected.getOffset()).isEqualTo(1);
        });
        assertThat(signals()).singleElement().satisfies(level -> assertThat(level.getResendsList())
                .singleElement()
                .satisfies(resend -> assertThat(resend.getExpectedSequence()).isEqualTo(2)));
        assertThat(merge.count("rejected", "sequence_gap")).isEqualTo(1);
    }

    @Test
    void garbageIsRejectedByItsPlaceAndThePartitionGoesOn() {
        merge.send("acme/run-1".getBytes(UTF_8), "not protobuf at all".getBytes(UTF_8));
        merge.send(RUN.stream(START, 1, Batches.started()));

        RejectedUpdate rejected = onlyRejection();
        assertThat(rejected.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_INVALID);
        assertThat(rejected.getTenant()).isEqualTo("acme");
        assertThat(rejected.getExecutionId()).isEqualTo("run-1");
        assertThat(rejected.getOffset()).isZero();
        assertThat(rejected.getCount()).isEqualTo(1);
        assertThat(rejected.getMessage()).contains("19 bytes that are not a message of runcast.updates.v1");
        assertThat(merge.changes()).hasSize(1);
    }

    @Test
    void aNullValueIsRejected() {
        merge.send("acme/run-1".getBytes(UTF_8), null);

        assertThat(onlyRejection().getMessage()).isEqualTo("value: null (expected: an UpdateBatch)");
    }

    @Test
    void aKeyThatIsNotTheValuesIsRejectedUnderTheKey() {
        merge.send(
                "acme/other".getBytes(UTF_8),
                RUN.stream(START, 1, Batches.started()).toByteArray());

        RejectedUpdate rejected = onlyRejection();
        assertThat(rejected.getExecutionId()).isEqualTo("other");
        assertThat(rejected.getMessage()).isEqualTo("key: \"acme/other\" (expected: acme/run-1, as the value says)");
        assertThat(merge.changes()).isEmpty();
    }

    @Test
    void aKeyThatNamesNoExecutionIsRejectedByItsPlaceAlone() {
        merge.send("no slash".getBytes(UTF_8), new byte[] {1});
        merge.send(null, new byte[] {1});
        merge.send(new byte[] {(byte) 0xff, 0}, null);

        assertThat(merge.rejected()).hasSize(3).allSatisfy(rejected -> {
            assertThat(rejected.getTenant()).isEmpty();
            assertThat(rejected.getExecutionId()).isEmpty();
        });
    }

    @Test
    void aBatchWithoutUpdatesIsRejectedAndDoesNotStopThePartition() {
        merge.send(RUN.stream(START, 1));
        merge.send(RUN.stream(START, 1, Batches.started()));

        assertThat(merge.changes()).hasSize(1);
    }

    @Test
    void rulesThatThisBuildDoesNotKnowStopIt() {
        UpdateBatch batch =
                RUN.stream(START, 1, Batches.started()).toBuilder().setRules(3).build();

        assertThatThrownBy(() -> merge.send(batch))
                .hasRootCauseInstanceOf(UnknownRulesException.class)
                .rootCause()
                .hasMessageContaining("partition 0, offset 0: rules: 3 (expected: at most 2");
        assertThat(merge.changes()).isEmpty();
        assertThat(merge.rejected()).isEmpty();
    }

    @Test
    void theLevelIsWrittenWhenItChangesAndLeavesADayAfterTheEnd() {
        merge.send(RUN.stream(START, 1, Batches.started()));
        assertThat(signals()).singleElement().satisfies(level -> {
            assertThat(level.getEpoch()).isEqualTo(RUN.epoch());
            assertThat(level.getPhase()).isEqualTo(Phase.PHASE_RUNNING);
        });
        merge.send(RUN.stream(START, 2, Batches.message("m1", EntryState.ENTRY_STATE_COMPLETED)));
        assertThat(merge.read(Topic.SIGNALS)).isEmpty();
        merge.send(RUN.stream(START, 3, Batches.phase(Phase.PHASE_COMPLETED)));
        assertThat(signals()).singleElement().satisfies(level -> assertThat(level.getPhase())
                .isEqualTo(Phase.PHASE_COMPLETED));

        logReaches(Duration.ofHours(24));
        assertThat(merge.read(Topic.SIGNALS)).noneMatch(record -> key(record).equals("acme/run-1"));
        logReaches(Duration.ofHours(26));
        assertThat(merge.read(Topic.SIGNALS))
                .filteredOn(record -> key(record).equals("acme/run-1"))
                .singleElement()
                .satisfies(record -> assertThat(record.value()).isNull());
    }

    @Test
    void aRunnerThatComesWhenTheLevelHasLeftIsToldAgainForADay() {
        merge.send(RUN.stream(START, 1, Batches.started(), Batches.phase(Phase.PHASE_COMPLETED)));
        logReaches(Duration.ofHours(26));
        merge.read(Topic.SIGNALS);

        merge.send(RUN.stream(START.plus(Duration.ofHours(26)), 3, Batches.started()));
        assertThat(signals()).singleElement().satisfies(level -> assertThat(level.getPhase())
                .isEqualTo(Phase.PHASE_COMPLETED));
        logReaches(Duration.ofHours(50));
        assertThat(tombstones("acme/run-1")).isZero();
        logReaches(Duration.ofHours(52));
        assertThat(tombstones("acme/run-1")).isEqualTo(1);
    }

    @Test
    void anAttemptThatIsTooOldForAnUnknownExecutionIsToldSoForADay() {
        Instant now = START.plus(Duration.ofDays(30));
        merge.jump(Duration.ofDays(30));
        merge.send(RUN.stream(now, 1, Batches.started()));

        assertThat(onlyRejection().getReason()).isEqualTo(RejectionReason.REJECTION_REASON_EXPIRED);
        assertThat(signals()).singleElement().satisfies(level -> {
            assertThat(level.getVersion()).isZero();
            assertThat(level.getMinimumEpoch()).isGreaterThan(RUN.epoch());
        });
        int before = merge.stateSize();
        logReaches(Duration.ofDays(30).plusHours(26));
        assertThat(tombstones("acme/run-1")).isEqualTo(1);
        assertThat(before).isPositive();
    }

    @Test
    void theLevelOfAnExecutionOfWhichOnlyAGapCameLeavesWithItsHeader() {
        merge.send(RUN.stream(START, 7, Batches.started()));
        assertThat(signals()).singleElement().satisfies(level -> assertThat(level.getVersion())
                .isZero());
        logReaches(Duration.ofDays(29));
        assertThat(tombstones("acme/run-1")).isZero();
        logReaches(Duration.ofDays(31));
        assertThat(tombstones("acme/run-1")).isEqualTo(1);
    }

    @Test
    void anExecutionBegunUnderRules1KeepsThem() {
        merge.send(
                RUN.stream(START, 1, Batches.started()).toBuilder().setRules(1).build());
        merge.send(RUN.stream(START, 2, Batches.message("m1", EntryState.ENTRY_STATE_RUNNING)));

        List<TestRecord<byte[], byte[]>> rows = merge.read(Topic.EXECUTIONS);
        assertThat(rows).hasSize(2).allSatisfy(row -> assertThat(new String(row.value(), UTF_8))
                .contains("\"rules\":1"));
    }

    @Test
    void anEndedExecutionLeavesTheStateByLogTimeAndNotByTheClock() {
        merge.send(RUN.stream(START, 1, conversation()));
        int before = merge.stateSize();
        merge.jump(Duration.ofDays(40));
        assertThat(merge.stateSize()).isEqualTo(before);

        // The newest execution stays; each earlier one has left when the log is a month past it.
        logReaches(Duration.ofDays(40));
        int withOne = merge.stateSize();
        merge.jump(Duration.ofDays(40));
        logReaches(Duration.ofDays(80));
        assertThat(merge.stateSize()).isEqualTo(withOne);
    }

    @Test
    void aTimeThatNoTimestampCanHaveIsRejectedAndDoesNotStopThePartition() {
        UpdateBatch.Builder wild = RUN.stream(START, 1, Batches.started()).toBuilder();
        for (long seconds : new long[] {Long.MAX_VALUE, Long.MIN_VALUE, -1}) {
            wild.getReceivedAtBuilder().setSeconds(seconds).setNanos(Integer.MAX_VALUE);
            merge.send(wild.build());
        }
        merge.send(RUN.stream(START, 1, Batches.started()));

        assertThat(merge.changes()).hasSize(1);
        assertThat(merge.rejected()).hasSize(3);
    }

    @Test
    void aRecordFromTheFutureDoesNotEmptyTheState() {
        merge.send(RUN.stream(START, 1, conversation()));
        int before = merge.stateSize();
        Instant future = START.plus(Duration.ofDays(4000));
        merge.send(Batches.of("mad", future.toEpochMilli()).stream(future, 1, Batches.started()));
        merge.jump(Duration.ofSeconds(10));

        assertThat(merge.stateSize()).isGreaterThan(before);
    }

    @Test
    void aSilentRunnerIsStalledThroughTheLogAndRevivedByAHeartbeat() {
        merge.send(RUN.stream(START, 1, Batches.started()));
        merge.pass(Duration.ofSeconds(70));
        assertThat(merge.verdicts).hasSize(1);
        merge.changes();

        merge.send(merge.verdicts.get(0));
        assertThat(merge.changes()).singleElement().satisfies(change -> {
            assertThat(change.getVersion()).isEqualTo(2);
            assertThat(change.getCause().getWriter().getKind()).isEqualTo(WriterKind.WRITER_KIND_SYSTEM);
            assertThat(change.getExecution().getStalled()).isTrue();
        });

        merge.beat(Heartbeat.newBuilder()
                .setTenant("acme")
                .setExecutionId("run-1")
                .setEpoch(RUN.epoch())
                .build());
        merge.pass(Duration.ofSeconds(5));
        merge.send(merge.verdicts.get(1));
        assertThat(merge.changes()).singleElement().satisfies(change -> {
            assertThat(change.getVersion()).isEqualTo(3);
            assertThat(change.getExecution().getStalled()).isFalse();
        });
    }

    @Test
    void aLostRunnerEndsTheExecution() {
        merge.send(RUN.stream(START, 1, Batches.started()));
        merge.pass(Duration.ofSeconds(70));
        merge.send(merge.verdicts.get(0));
        merge.pass(Duration.ofHours(24));
        merge.changes();
        merge.send(merge.verdicts.get(merge.verdicts.size() - 1));

        Execution ended = merge.changes().get(0).getExecution();
        assertThat(ended.getPhase()).isEqualTo(Phase.PHASE_FAILED);
        assertThat(ended.getFailure().getCode()).isEqualTo("RUNNER_LOST");
        int before = merge.verdicts.size();
        merge.pass(Duration.ofHours(1));
        assertThat(merge.verdicts).hasSize(before);
    }

    @Test
    void anUnreadableHeartbeatIsCountedAndChangesNothing() {
        merge.beat("acme/run-1".getBytes(UTF_8), "garbage".getBytes(UTF_8));

        assertThat(merge.registry
                        .get("runcast.merge.heartbeats.unreadable")
                        .counter()
                        .count())
                .isEqualTo(1);
        assertThat(merge.rejected()).isEmpty();
    }

    /** A batch of another execution moves log time on; then the state is looked through. */
    private void logReaches(Duration afterStart) {
        Duration ahead = Duration.between(merge.clock.instant(), START.plus(afterStart));
        if (!ahead.isNegative()) {
            merge.jump(ahead);
        }
        Instant at = START.plus(afterStart);
        Batches other = Batches.of("clock-" + afterStart.toHours(), at.toEpochMilli());
        merge.send(other.stream(at, 1, Batches.started(), Batches.phase(Phase.PHASE_COMPLETED)));
        merge.jump(Duration.ofSeconds(2));
    }

    private long tombstones(String key) {
        return merge.read(Topic.SIGNALS).stream()
                .filter(record -> key(record).equals(key) && record.value() == null)
                .count();
    }

    private RejectedUpdate onlyRejection() {
        List<RejectedUpdate> rejected = merge.rejected();
        assertThat(rejected).hasSize(1);
        return rejected.get(0);
    }

    private List<ExecutionSignals> signals() {
        List<ExecutionSignals> levels = new ArrayList<>();
        for (TestRecord<byte[], byte[]> record : merge.read(Topic.SIGNALS)) {
            if (RecordCodec.SIGNALS.decode(record.key(), record.value())
                    instanceof dev.runcast.topics.Decoded.Value<ExecutionSignals> level) {
                levels.add(level.value());
            }
        }
        return levels;
    }

    private static List<Update> conversation() {
        return List.of(
                Batches.declared("planner", ""),
                Batches.started(),
                Batches.message("m1", EntryState.ENTRY_STATE_RUNNING),
                Batches.append("m1", 0, "Grüße, "),
                Batches.append("m1", "Grüße, ".getBytes(UTF_8).length, "world"),
                Batches.phase(Phase.PHASE_COMPLETED));
    }

    private static List<Update> longConversation() {
        List<Update> updates = new ArrayList<>(List.of(Batches.declared("planner", ""), Batches.started()));
        for (int message = 0; message < 10; message++) {
            String id = "m" + message;
            updates.add(Batches.message(id, EntryState.ENTRY_STATE_RUNNING));
            for (int append = 0; append < 5; append++) {
                updates.add(Batches.append(id, append * 3L, "abc"));
            }
            // Refused, so that rejections are cut too.
            updates.add(Batches.append(id, 999, "beyond"));
            updates.add(Batches.message(id, EntryState.ENTRY_STATE_COMPLETED));
        }
        updates.add(Batches.phase(Phase.PHASE_COMPLETED));
        return updates;
    }

    private static Change renamed(Change change, String executionId) {
        return change.hasExecution()
                ? change.toBuilder()
                        .setExecution(change.getExecution().toBuilder().setExecutionId(executionId))
                        .build()
                : change;
    }

    private static String header(TestRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null ? "" : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static String key(TestRecord<byte[], byte[]> record) {
        return new String(record.key(), UTF_8);
    }
}
