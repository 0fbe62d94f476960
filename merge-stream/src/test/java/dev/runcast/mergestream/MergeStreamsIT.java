package dev.runcast.mergestream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.mergestream.MergeStreamSettings.WatchdogSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Change;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.streams.KafkaStreams;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.health.contributor.Status;
import org.springframework.util.unit.DataSize;

class MergeStreamsIT {
    private static final Duration COMMIT = Duration.ofMillis(300);

    private final Instant now = Instant.now();

    @TempDir
    Path folder;

    private EmbeddedKafka kafka;
    private Log log;
    private MergeStreams merge;

    @BeforeEach
    void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        merge = startMerge();
        log = new Log(kafka);
    }

    @AfterEach
    void stop() {
        log.close();
        merge.stop();
        kafka.close();
    }

    @Test
    void changesOfEveryExecutionAreOneToNWithoutAHole() {
        for (int run = 0; run < 20; run++) {
            conversation(run, 30, 7);
        }
        try (Log.Reader reader = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            reader.until(read -> read.changeCount() >= 20 * 33);
            assertThat(reader.changes()).hasSize(20).allSatisfy((id, changes) -> assertContiguous(changes, 33));
        }
        assertThat(StreamHealth.liveness(merge, 2).health().getStatus()).isEqualTo(Status.UP);
        assertThat(StreamHealth.readiness(merge).health().getStatus()).isEqualTo(Status.UP);
    }

    @Test
    void aRestartInTheMiddleWithTheStateFolderLostMakesTheSameChangesOnce() {
        sendPart(0, 40);
        try (Log.Reader committed = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            committed.until(read -> read.changeCount() >= 100);
        }
        merge.stop();
        delete(folder.resolve("state"));
        sendPart(40, 80);
        merge = startMerge();
        try (Log.Reader committed = log.read(Topic.CHANGES, Isolation.COMMITTED);
                Log.Reader uncommitted = log.read(Topic.CHANGES, Isolation.UNCOMMITTED)) {
            committed.until(read -> read.changeCount() >= 10 * 80);
            committed.poll();
            assertThat(committed.changes()).hasSize(10).allSatisfy((id, changes) -> assertContiguous(changes, 80));
            uncommitted.until(read -> read.changeCount() >= committed.changeCount());
            assertSameVersions(uncommitted.changes(), committed.changes());
        }
    }

    @Test
    void partitionsThatMoveFromInstanceToInstanceMakeEveryChangeOnce() {
        for (int part = 0; part < 4; part++) {
            sendPart(part * 20, part * 20 + 20);
            MergeStreams first = merge;
            MergeStreams second = newMerge("state-" + part);
            second.start();
            first.stop();
            merge = second;
        }
        try (Log.Reader committed = log.read(Topic.CHANGES, Isolation.COMMITTED);
                Log.Reader uncommitted = log.read(Topic.CHANGES, Isolation.UNCOMMITTED)) {
            committed.until(read -> read.changeCount() >= 10 * 80);
            assertThat(committed.changes()).hasSize(10).allSatisfy((id, changes) -> assertContiguous(changes, 80));
            uncommitted.until(read -> read.changeCount() >= committed.changeCount());
            assertSameVersions(uncommitted.changes(), committed.changes());
        }
    }

    @Test
    void whatAnAbortedTransactionHadShownIsMadeAgainUnderTheSameVersions() {
        merge.stop();
        // One thread, so that both partitions share a transaction, and no commit while the test looks.
        merge = startMerge(new Changed("abort", null, 1, Duration.ofSeconds(9)));
        Batches run = Batches.of("run", now.toEpochMilli());
        try (Log.Reader uncommitted = log.read(Topic.CHANGES, Isolation.UNCOMMITTED)) {
            for (int i = 1; i <= 50; i++) {
                log.append(in(0, run.stream(now, i, Batches.message("m" + i, EntryState.ENTRY_STATE_COMPLETED))));
            }
            uncommitted.until(read -> read.changeCount() >= 50);
            log.append(in(
                    1,
                    Batches.of("stop", now.toEpochMilli()).stream(now, 1, Batches.started()).toBuilder()
                            .setRules(99)
                            .build()));
            await().atMost(Duration.ofSeconds(30)).until(() -> merge.state() == KafkaStreams.State.ERROR);
            merge.stop();
            log.skip(Topic.UPDATES, 1, "runcast-merge");

            merge = startMerge();
            try (Log.Reader committed = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
                committed.until(read -> read.changeCount() >= 50);
                assertContiguous(committed.changes().get("run"), 50);
                uncommitted.until(read -> read.changeCount() >= 100);
                assertThat(uncommitted.changes().get("run")).hasSize(100);
                assertSameVersions(uncommitted.changes(), committed.changes());
            }
        }
    }

    @Test
    void aBrokerThatIsAwayForAWhileDelaysButLosesNothing() {
        sendPart(0, 40);
        log.flush();
        kafka.restart();
        sendPart(40, 80);
        try (Log.Reader committed = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            committed.until(read -> read.changeCount() >= 10 * 80);
            assertThat(committed.changes()).hasSize(10).allSatisfy((id, changes) -> assertContiguous(changes, 80));
        }
    }

    @Test
    void aBatchOfFourHundredKibibytesGoesThrough() {
        Batches run = Batches.of("large", now.toEpochMilli());
        String text = "x".repeat(200 * 1024);
        log.append(run.stream(
                now,
                1,
                Batches.message("m1", EntryState.ENTRY_STATE_RUNNING),
                Batches.append("m1", 0, text),
                Batches.append("m1", text.length(), text)));
        try (Log.Reader reader = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            reader.until(read -> read.changeCount() >= 3);
            assertThat(reader.changes().get("large"))
                    .extracting(change -> change.getTextsCount() == 0
                            ? 0
                            : change.getTexts(0).getText().length())
                    .containsExactly(0, text.length(), text.length());
        }
    }

    @Test
    void garbageIsRejectedWithItsPlaceAndItsNeighboursGoOn() throws Exception {
        log.append(new ProducerRecord<>(Topic.UPDATES.topicName(), 0, "acme/x".getBytes(UTF_8), new byte[] {9, 9, 9}));
        log.append(new ProducerRecord<>(Topic.UPDATES.topicName(), 0, "acme/x".getBytes(UTF_8), null));
        conversation(1, 5, 2);
        try (Log.Reader reader = log.read(Topic.REJECTED, Isolation.COMMITTED);
                Log.Reader changes = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            reader.until(read -> read.records.size() >= 2);
            for (int i = 0; i < 2; i++) {
                RejectedUpdate rejected =
                        RejectedUpdate.parseFrom(reader.records.get(i).value());
                assertThat(rejected.getReason()).isEqualTo(RejectionReason.REJECTION_REASON_INVALID);
                assertThat(rejected.getPartition()).isZero();
                assertThat(rejected.getOffset()).isEqualTo(i);
            }
            changes.until(read -> read.changeCount() >= 8);
        }
    }

    @Test
    void aRunnerThatComesADayAfterTheEndIsToldAgain() throws Exception {
        Instant end = now.minus(Duration.ofHours(30));
        Batches run = Batches.of("late", end.toEpochMilli());
        log.append(run.stream(end, 1, Batches.started(), Batches.phase(Phase.PHASE_COMPLETED)));
        // Log time goes on with another execution, so the level leaves.
        log.append(Batches.of("other", now.toEpochMilli()).stream(now, 1, Batches.started()));
        try (Log.Reader signals = log.read(Topic.SIGNALS, Isolation.UNCOMMITTED)) {
            signals.until(read -> levels(read, "acme/late").contains(null));
            log.append(run.stream(now, 3, Batches.started()));
            signals.until(read -> {
                List<byte[]> levels = levels(read, "acme/late");
                return levels.get(levels.size() - 1) != null;
            });
            List<byte[]> levels = levels(signals, "acme/late");
            ExecutionSignals told = ExecutionSignals.parseFrom(levels.get(levels.size() - 1));
            assertThat(told.getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
            assertThat(told.getEpoch()).isEqualTo(run.epoch());
        }
    }

    private static List<byte[]> levels(Log.Reader signals, String key) {
        List<byte[]> levels = new ArrayList<>();
        signals.records.stream()
                .filter(record -> new String(record.key(), UTF_8).equals(key))
                .forEach(record -> levels.add(record.value()));
        return levels;
    }

    @Test
    void aSilentRunnerIsStalledAndRevivedThroughTheLog() {
        Batches run = Batches.of("silent", now.toEpochMilli());
        log.append(run.stream(now, 1, Batches.started()));
        try (Log.Reader reader = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            reader.until(read -> read.changeCount() >= 2);
            Change stalled = reader.changes().get("silent").get(1);
            assertThat(stalled.getExecution().getStalled()).isTrue();
            assertThat(stalled.getCause().getRequestId()).isEqualTo("stalled-" + run.epoch() + "-1");

            log.append(Heartbeat.newBuilder()
                    .setTenant("acme")
                    .setExecutionId("silent")
                    .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
                    .setEpoch(run.epoch())
                    .build());
            reader.until(read -> read.changeCount() >= 3);
            assertThat(reader.changes().get("silent").get(2).getExecution().getStalled())
                    .isFalse();
        }
    }

    @Test
    void aRunnerThatIsSilentSinceARestartIsStalledThoughNothingComesIn() {
        Batches run = Batches.of("silent", now.toEpochMilli());
        try (Log.Reader reader = log.read(Topic.CHANGES, Isolation.COMMITTED)) {
            log.append(run.stream(now, 1, Batches.started()));
            reader.until(read -> read.changeCount() >= 1);
            merge.stop();
            merge = startMerge();
            reader.until(read -> read.changeCount() >= 2);
            assertThat(reader.changes().get("silent").get(1).getExecution().getStalled())
                    .isTrue();
        }
    }

    @Test
    void aBusyNeighbourDoesNotHideASilentRunner() {
        log.append(Batches.of("silent", now.toEpochMilli()).stream(now, 1, Batches.started()));
        Batches busy = Batches.of("busy", now.toEpochMilli());
        long[] sequence = {1};
        try (Log.Reader reader = log.read(Topic.CHANGES, Isolation.UNCOMMITTED)) {
            reader.until(read -> {
                log.append(busy.stream(now, sequence[0]++, Batches.started()));
                return read.changes().getOrDefault("silent", List.of()).size() >= 2;
            });
        }
    }

    @Test
    void rulesThatThisBuildDoesNotKnowStopItAndAreNotSkipped() {
        log.append(Batches.of("new", now.toEpochMilli()).stream(now, 1, Batches.started()).toBuilder()
                .setRules(99)
                .build());
        await().atMost(Duration.ofSeconds(30)).until(() -> merge.state() == KafkaStreams.State.ERROR);
        assertThat(StreamHealth.liveness(merge, 2).health().getStatus()).isEqualTo(Status.DOWN);
        assertThat(StreamHealth.readiness(merge).health().getStatus()).isEqualTo(Status.OUT_OF_SERVICE);

        merge.stop();
        merge = startMerge();
        await().atMost(Duration.ofSeconds(30)).until(() -> merge.state() == KafkaStreams.State.ERROR);
    }

    @Test
    void howFastItIsOnThisMachine() {
        merge.stop();
        int runs = 200;
        int batches = 25;
        int perBatch = 20;
        for (int batch = 0; batch < batches; batch++) {
            for (int run = 0; run < runs; run++) {
                List<Update> updates = new ArrayList<>();
                for (int i = 0; i < perBatch; i += 4) {
                    String id = "m" + (batch * perBatch + i);
                    updates.add(Batches.message(id, EntryState.ENTRY_STATE_RUNNING));
                    updates.add(Batches.append(id, 0, "The quick brown fox jumps over the lazy dog. "));
                    updates.add(Batches.append(id, 45, "And back again, since that was such fun to do."));
                    updates.add(Batches.message(id, EntryState.ENTRY_STATE_COMPLETED));
                }
                log.append(
                        Batches.of("run-" + run, now.toEpochMilli()).stream(now, (long) batch * perBatch + 1, updates));
            }
        }
        log.flush();
        merge = startMerge();
        long total = (long) runs * batches * perBatch;
        try (Log.Reader reader = log.read(Topic.CHANGES, Isolation.UNCOMMITTED)) {
            reader.until(read -> !read.records.isEmpty());
            long began = System.nanoTime();
            reader.until(read -> read.records.size() >= runs * batches);
            double seconds = (System.nanoTime() - began) / 1e9;
            assertThat(reader.changeCount()).isEqualTo(total);
            System.out.printf("merge-stream: %,d updates in %.2f s: %,.0f/s%n", total, seconds, total / seconds);
        }
    }

    @Test
    void aMemberWithANameOfItsOwnTakesUpItsWorkAtOnce() {
        merge.stop();
        for (int start = 0; start < 2; start++) {
            merge = newMerge(new Changed("named", "instance-1", 2, COMMIT));
            merge.start();
            // Well below the session timeout, which a member that left without a word holds its partitions for.
            await().atMost(Duration.ofSeconds(5)).until(() -> merge.state() == KafkaStreams.State.RUNNING);
            merge.stop();
        }
    }

    /** What a test has otherwise than the rest. */
    private record Changed(String stateFolder, @Nullable String instanceId, int threads, Duration commitInterval) {}

    private MergeStreams startMerge() {
        return startMerge(new Changed("state", null, 2, COMMIT));
    }

    private MergeStreams startMerge(Changed changed) {
        MergeStreams streams = newMerge(changed);
        streams.start();
        await().atMost(Duration.ofSeconds(30))
                .until(() -> streams.state() != KafkaStreams.State.CREATED
                        && streams.state() != KafkaStreams.State.REBALANCING);
        return streams;
    }

    private MergeStreams newMerge(String stateFolder) {
        return newMerge(new Changed(stateFolder, null, 2, COMMIT));
    }

    private MergeStreams newMerge(Changed changed) {
        MergeStreamSettings settings = new MergeStreamSettings(
                "runcast-merge",
                folder.resolve(changed.stateFolder()),
                changed.threads(),
                changed.commitInterval(),
                DataSize.ofMegabytes(16),
                Duration.ofSeconds(6),
                changed.instanceId(),
                Duration.ofSeconds(20),
                Duration.ofSeconds(1),
                new WatchdogSettings(true, Duration.ofSeconds(3), Duration.ofMinutes(10), Duration.ofMillis(200)));
        return new MergeStreams(
                new KafkaSettings(kafka.bootstrapServers(), Map.of(), 2, 1, Duration.ofSeconds(30)),
                settings,
                InstantSource.system(),
                new SimpleMeterRegistry());
    }

    private static ProducerRecord<byte[], byte[]> in(int partition, UpdateBatch batch) {
        ProducerRecord<byte[], byte[]> record = RecordCodec.UPDATES.record(batch);
        return new ProducerRecord<>(record.topic(), partition, record.key(), record.value());
    }

    /** A conversation of {@code appends + 3} updates. */
    private void conversation(int run, int appends, int batchSize) {
        List<Update> updates = new ArrayList<>();
        updates.add(Batches.started());
        updates.add(Batches.message("m1", EntryState.ENTRY_STATE_RUNNING));
        IntStream.range(0, appends).forEach(i -> updates.add(Batches.append("m1", i * 4L, "word")));
        updates.add(Batches.phase(Phase.PHASE_COMPLETED));
        Batches batches = Batches.of("run-" + run, now.toEpochMilli());
        for (int from = 0; from < updates.size(); from += batchSize) {
            log.append(
                    batches.stream(now, from + 1, updates.subList(from, Math.min(updates.size(), from + batchSize))));
        }
    }

    /** Updates {@code from + 1} to {@code to} of ten runs; the first of each run adopts it. */
    private void sendPart(int from, int to) {
        for (int i = from; i < to; i++) {
            for (int run = 0; run < 10; run++) {
                Update update = i == 0 ? Batches.started() : Batches.message("m" + i, EntryState.ENTRY_STATE_COMPLETED);
                log.append(Batches.of("run-" + run, now.toEpochMilli()).stream(now, i + 1, update));
            }
        }
        log.flush();
    }

    private static void assertContiguous(List<Change> changes, int count) {
        assertThat(changes)
                .extracting(Change::getVersion)
                .isEqualTo(LongStream.rangeClosed(1, count).boxed().toList());
    }

    /** Whoever read uncommitted saw, under each version, what has been committed under it. */
    private static void assertSameVersions(Map<String, List<Change>> uncommitted, Map<String, List<Change>> committed) {
        uncommitted.forEach((id, changes) -> {
            for (Change change : changes) {
                assertThat(change).isEqualTo(committed.get(id).get((int) change.getVersion() - 1));
            }
        });
    }

    private static void delete(Path folder) {
        try (Stream<Path> paths = Files.walk(folder)) {
            paths.sorted(Comparator.reverseOrder()).forEach(path -> {
                try {
                    Files.delete(path);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
