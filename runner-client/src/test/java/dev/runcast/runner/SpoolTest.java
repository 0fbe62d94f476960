package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.runner.SimulatedIngest.Misfortunes;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of what the door did not take, when the process that reported it is gone or its disk misbehaves. */
class SpoolTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final StreamKey RUN = new StreamKey("run-1", "", EPOCH);
    private static final Misfortunes NOBODY_LISTENS = new Misfortunes(1, 0, 0, 0, 0, 0);
    private static final Duration WHILE = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path folder;

    private final SimulatedIngest ingest = new SimulatedIngest(new Random(1), NOBODY_LISTENS, update -> false);
    private final List<String> said = new ArrayList<>();

    @Test
    void theNextProcessSendsWhatTheFirstCouldNotUnderTheSameSequences() {
        Simulation first = process();
        ExecutionReporter run = first.execution("run-1", EPOCH);
        run.messageStarted("m", Role.ROLE_AI);
        run.appendText("m", "Hello ");
        first.run(WHILE);
        first.stop();
        assertThat(run.outbox().missing()).isEqualTo(new FlushResult.Missing("run-1", "", EPOCH, 2, false, true));

        Simulation second = process();
        ExecutionReporter same = second.execution("run-1", EPOCH);
        same.appendText("m", "world");
        same.messageCompleted("m");
        same.completed();
        listen();
        assertThat(second.flush(PATIENCE).complete()).isTrue();
        assertThat(ingest.log.text(RUN, "m", TextField.TEXT_FIELD_TEXT)).isEqualTo("Hello world");
        assertThat(ingest.log.updates(RUN)).hasSize(5);
        assertThat(ingest.log.stream(RUN).duplicates).isZero();
        assertThat(second.stats().recovered()).isEqualTo(2);
        second.run(WHILE);
        assertThat(said).contains("recovered 1 2", "handed over run-1@" + EPOCH + " durable");
    }

    @Test
    void whatIsAckedIsNotSentAgainByTheNextProcessWhichKnowsTheNextSequenceAndWhereTextsEnd() {
        listen();
        Simulation first = process();
        ExecutionReporter run = first.execution("run-1", EPOCH);
        run.messageStarted("m", Role.ROLE_AI);
        run.appendText("m", "Hello ");
        assertThat(first.flush(PATIENCE).complete()).isTrue();
        first.stop();

        Simulation second = process();
        ExecutionReporter same = second.execution("run-1", EPOCH);
        same.appendText("m", "world");
        assertThat(second.flush(PATIENCE).complete()).isTrue();
        assertThat(ingest.log.text(RUN, "m", TextField.TEXT_FIELD_TEXT)).isEqualTo("Hello world");
        assertThat(ingest.log.stream(RUN).duplicates).isZero();
    }

    @Test
    void anOlderAttemptsRestGoesBeforeTheNewerAttempt() {
        Simulation first = process();
        ExecutionReporter older = first.execution("run-1", EPOCH);
        for (int i = 0; i < 1_000; i++) {
            older.message("m" + i, Role.ROLE_AI, "x".repeat(300));
        }
        older.completed();
        first.run(WHILE);
        first.stop();

        Simulation second = process();
        ExecutionReporter newer = second.execution("run-1", EPOCH + 1);
        newer.attemptStarted("", "");
        newer.completed();
        listen();
        assertThat(second.flush(PATIENCE).complete()).isTrue();
        assertThat(ingest.arrivals.indexOf(new StreamKey("run-1", "", EPOCH + 1)))
                .as("batches of the older attempt before the newer one's first")
                .isEqualTo(ingest.arrivals.lastIndexOf(RUN) + 1);
        assertThat(ingest.log.updates(RUN)).hasSize(1_001);
    }

    @Test
    void aNewerAttemptDoesNotWaitForEverForAnOlderOneThatIsStuck() {
        Simulation first = process();
        first.execution("run-1", EPOCH).running();
        first.run(WHILE);
        first.stop();

        ingest.deaf(RUN);
        Simulation second = process();
        second.execution("run-1", EPOCH + 1).completed();
        listen();
        second.run(Duration.ofSeconds(30));
        assertThat(ingest.log.updates(RUN)).isEmpty();
        assertThat(ingest.log.updates(new StreamKey("run-1", "", EPOCH + 1))).hasSize(1);
    }

    @Test
    void anOlderAttemptThatIsFencedIsSaidToBeAndNotTriedAgain() {
        Simulation first = process();
        first.execution("run-1", EPOCH).running();
        first.run(WHILE);
        first.stop();

        ingest.fenced(RUN);
        Simulation second = process();
        listen();
        second.run(WHILE);
        second.stop();
        assertThat(said).contains("handed over run-1@" + EPOCH + " fenced");
        assertThat(second.stats().discarded()).isEqualTo(1);
        Simulation third = process();
        third.run(WHILE);
        assertThat(third.stats().recovered()).isZero();
    }

    @Test
    void aFileCutAnywhereGivesWhatWasWholeAndTheRestIsSaidToBeMissing() throws IOException {
        Simulation first = process();
        ExecutionReporter run = first.execution("run-1", EPOCH);
        for (int i = 0; i < 5; i++) {
            run.message("m" + i, Role.ROLE_AI, "text " + i);
            first.run(Duration.ofMillis(5));
        }
        byte[] whole = Files.readAllBytes(newest());
        for (int length = 0; length <= whole.length; length++) {
            Path cut = Files.createDirectory(folder.resolveSibling(folder.getFileName() + "-" + length));
            Files.write(cut.resolve("000000000001.spool"), java.util.Arrays.copyOf(whole, length));
            SimulatedIngest door = new SimulatedIngest(new Random(1), Misfortunes.NONE, update -> false);
            Simulation second = process(cut, door);
            second.run(WHILE);
            List<Update> log = door.log.updates(RUN);
            for (int i = 0; i < log.size(); i++) {
                assertThat(log.get(i).getEntryUpserted().getEntry().getEntryId())
                        .as("cut at %d", length)
                        .isEqualTo("m" + i);
            }
            assertThat(log.size()).isEqualTo((int) second.stats().recovered());
            if (length == whole.length) {
                assertThat(log).hasSize(5);
            }
            second.stop();
        }
    }

    @Test
    void aByteThatChangedInTheMiddleIsOmittedInTheHistoryAndWhatComesAfterStaysInPlace() throws IOException {
        Simulation first = process();
        ExecutionReporter run = first.execution("run-1", EPOCH);
        for (int i = 0; i < 100; i++) {
            run.message("m" + i, Role.ROLE_AI, "text " + "x".repeat(10_000));
            first.run(Duration.ofMillis(5));
        }
        run.completed();
        first.run(WHILE);
        first.stop();
        Path oldest = files().get(0);
        byte[] bytes = Files.readAllBytes(oldest);
        bytes[bytes.length / 2]++;
        Files.write(oldest, bytes);

        Simulation second = process();
        listen();
        second.run(Duration.ofSeconds(30));
        List<Update> log = ingest.log.updates(RUN);
        assertThat(log.size()).isEqualTo(101);
        long lost = log.stream().filter(Update::hasOmitted).count();
        assertThat(lost).isEqualTo(1);
        assertThat(log.get(100).getPhaseChanged().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        assertThat(second.stats().omitted()).isEqualTo(lost);
        assertThat(String.join("\n", said)).contains("damaged", "is not what was written");
    }

    @Test
    void aFolderInUseIsLeftAloneAndTakenWhenItIsFree() {
        Simulation first = process();
        first.execution("run-1", EPOCH).running();
        first.run(WHILE);
        Simulation second = process();
        second.execution("run-2", EPOCH).running();
        second.run(WHILE);
        assertThat(second.stats().spool()).isEqualTo(SpoolState.FAILED);
        assertThat(said.get(said.size() - 1))
                .contains("spool folder " + folder + ": in use by process ")
                .contains("(expected: one process for each folder)");
        first.stop();
        second.run(Duration.ofMinutes(2));
        assertThat(second.stats().spool()).isEqualTo(SpoolState.ON);
        listen();
        assertThat(second.flush(PATIENCE).complete()).isTrue();
        assertThat(ingest.log.updates(RUN)).hasSize(1);
        assertThat(ingest.log.updates(new StreamKey("run-2", "", EPOCH))).hasSize(1);
    }

    @Test
    void filesOfAnotherVersionAndFoldersThatAreNoneAreNotTouchedAndTheReporterWorks() throws IOException {
        Path strange = folder.resolve("000000000007.spool");
        Files.write(strange, "RUNCAST SPOOL 2\nwhatever".getBytes(StandardCharsets.US_ASCII));
        Path file = Files.createFile(folder.resolveSibling(folder.getFileName() + "-file"));
        listen();
        for (Path path : List.of(folder, file)) {
            said.clear();
            Simulation process = process(path, ingest);
            process.execution(path == file ? "run-1" : "run-2", EPOCH).completed();
            assertThat(process.flush(PATIENCE).complete()).isTrue();
            assertThat(process.stats().spool()).isEqualTo(SpoolState.FAILED);
            assertThat(process.stats().spoolFailures()).isPositive();
            assertThat(said.get(0)).startsWith("failed");
        }
        assertThat(strange).hasContent("RUNCAST SPOOL 2\nwhatever");
    }

    @Test
    void aFolderThatIsDeletedIsMadeAgainWithAllThatIsWanted() throws IOException {
        Simulation first = process();
        ExecutionReporter run = first.execution("run-1", EPOCH);
        for (int i = 0; i < 50; i++) {
            run.message("m" + i, Role.ROLE_AI, "x".repeat(10_000));
            first.run(Duration.ofMillis(5));
        }
        delete();
        first.run(WHILE);
        assertThat(String.join("\n", said)).contains("deleted by somebody");
        first.stop();

        Simulation second = process();
        listen();
        second.run(Duration.ofSeconds(30));
        assertThat(ingest.log.updates(RUN)).hasSize(50).noneMatch(Update::hasOmitted);
    }

    @Test
    void aSpoolThatIsFullLeavesOutContentAndNeverTheFinalStatus() throws IOException {
        ReporterConfig config =
                config(folder).withMemoryBytes(1024 * 1024).withSpool(new SpoolSettings(folder, 2 * 1024 * 1024));
        Simulation first = new Simulation(config, ingest, new Random(2), listener());
        ExecutionReporter run = first.execution("run-1", EPOCH);
        for (int i = 0; i < 6_000; i++) {
            run.message("m" + i, Role.ROLE_AI, "x".repeat(1_000));
            first.run(Duration.ofMillis(1));
        }
        run.completed();
        first.run(WHILE);
        assertThat(first.budget.used()).isLessThan(1200 * 1024);
        first.stop();
        assertThat(run.outbox().missing().spooled()).isTrue();
        assertThat(bytes()).isLessThan(2 * 1024 * 1024);

        Simulation second = new Simulation(config, ingest, new Random(2), listener());
        listen();
        assertThat(second.flush(PATIENCE).complete()).isTrue();
        List<Update> log = ingest.log.updates(RUN);
        long omitted =
                log.stream().mapToLong(each -> each.getOmitted().getCount()).sum();
        assertThat(omitted).isPositive();
        assertThat(log.stream().filter(Update::hasEntryUpserted).count() + omitted)
                .isEqualTo(6_000);
        assertThat(log.get(log.size() - 1).getPhaseChanged().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
        second.run(WHILE);
        second.stop();
        assertThat(bytes()).as("what is left when all is acked").isLessThan(10_000);
    }

    @Test
    void oneExecutionThatIsStuckDoesNotFillTheSpool() throws IOException {
        ReporterConfig config =
                config(folder).withMemoryBytes(1024 * 1024).withSpool(new SpoolSettings(folder, 2 * 1024 * 1024));
        Simulation process = new Simulation(config, ingest, new Random(2), listener());
        ingest.deaf(RUN);
        listen();
        ExecutionReporter stuck = process.execution("run-1", EPOCH);
        ExecutionReporter lively = process.execution("run-2", EPOCH);
        for (int i = 0; i < 5_000; i++) {
            if (i % 50 == 0) {
                stuck.message("m" + i, Role.ROLE_AI, "x");
            }
            lively.message("m" + i, Role.ROLE_AI, "x".repeat(1_000));
            process.run(Duration.ofMillis(20));
        }
        lively.completed();
        process.run(WHILE);
        assertThat(ingest.log.updates(new StreamKey("run-2", "", EPOCH))).hasSize(5_001);
        assertThat(process.stats().omitted()).isZero();
        assertThat(bytes()).isLessThan(1100 * 1024);
    }

    @Test
    void aFolderThatCannotBeWrittenIsTriedAgainAndGetsWhatMemoryKept() throws IOException {
        Path within = folder.resolve("a-file-first");
        Files.createFile(within);
        Simulation first = process(within, ingest);
        first.execution("run-1", EPOCH).message("m", Role.ROLE_AI, "x");
        first.run(WHILE);
        assertThat(first.stats().spool()).isEqualTo(SpoolState.FAILED);
        Files.delete(within);
        first.run(Duration.ofMinutes(1));
        assertThat(first.stats().spool()).isEqualTo(SpoolState.ON);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(within)))
                .isEqualTo("rwx------");
        first.stop();
        Simulation second = process(within, ingest);
        listen();
        second.run(WHILE);
        assertThat(ingest.log.updates(RUN)).hasSize(1);
    }

    private void listen() {
        ingest.misfortunes(Misfortunes.NONE);
    }

    private Simulation process() {
        return process(folder, ingest);
    }

    private Simulation process(Path path, SimulatedIngest door) {
        return new Simulation(config(path), door, new Random(2), listener());
    }

    private static ReporterConfig config(Path path) {
        return ReporterConfig.of("simulated")
                .withBackoff(Duration.ofMillis(20), Duration.ofMillis(500))
                .withMemoryBytes(1024 * 1024)
                .withSpool(SpoolSettings.in(path));
    }

    private ReporterListener listener() {
        return new ReporterListener() {
            @Override
            public void spoolFailed(String reason) {
                said.add("failed " + reason);
            }

            @Override
            public void spoolDamaged(String what) {
                said.add("damaged " + what);
            }

            @Override
            public void recovered(int writers, long updates) {
                said.add("recovered " + writers + " " + updates);
            }

            @Override
            public void handedOver(String executionId, String writerName, long epoch, boolean fenced) {
                said.add("handed over " + executionId + "@" + epoch + (fenced ? " fenced" : " durable"));
            }
        };
    }

    private List<Path> files() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".spool"))
                    .sorted()
                    .toList();
        }
    }

    private Path newest() throws IOException {
        List<Path> files = files();
        return files.get(files.size() - 1);
    }

    private long bytes() throws IOException {
        LongStream.Builder sizes = LongStream.builder();
        for (Path file : files()) {
            sizes.add(Files.size(file));
        }
        return sizes.build().sum();
    }

    private void delete() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
