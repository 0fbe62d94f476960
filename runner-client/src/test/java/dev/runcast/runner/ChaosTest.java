package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.runner.IngestLog.Moment;
import dev.runcast.runner.SimulatedIngest.Misfortunes;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Progress;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever streams, refusals and acks do: what was reported is in the log, in order, once, with its text intact. */
class ChaosTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final int STORIES = Integer.getInteger("runner.stories", 300);
    private static final String POISON = "poison";

    @TempDir
    private Path folder;

    @Test
    void everythingReportedIsInTheLogInOrderAndOnce() {
        tell(seed -> new Story(seed, null));
    }

    @Test
    void aKillLosesWhatHadNoSequenceAndNothingElse() {
        tell(seed -> new Story(seed, folder.resolve(Long.toString(seed))));
    }

    private static void tell(LongFunction<Story> stories) {
        Long only = Long.getLong("runner.seed");
        long first = only == null ? new Random().nextLong() : only;
        for (int i = 0; i < (only == null ? STORIES : 1); i++) {
            long seed = first + i;
            try {
                stories.apply(seed).play();
            } catch (Throwable failed) {
                throw new AssertionError(
                        "seed " + seed + "; again: mvn -pl runner-client test -Dtest=ChaosTest -Drunner.seed=" + seed,
                        failed);
            }
        }
    }

    /** One seeded story: three executions, some hundred reports, then calm and a flush. */
    private static final class Story {
        private static final String[] SNIPPETS = {
            "a", "The quick brown fox ", "schöne Grüße, ", "日本語のテキスト", "🙂", "👩‍👩‍👧", "\n\t\"{}\"", "Ω≈ç√", "𐍈"
        };

        private final Random random;
        private final @Nullable Path folder;
        private final ReporterConfig config;
        private final SimulatedIngest ingest;
        private Simulation simulation;
        private int kills;
        private final Map<String, Expected> expected = new HashMap<>();
        private int nextEntry;

        /** With a folder it has a spool there, and its process is killed from time to time. */
        Story(long seed, @Nullable Path folder) {
            this.folder = folder;
            random = new Random(seed);
            Misfortunes misfortunes = new Misfortunes(
                    random.nextDouble() * 0.5,
                    random.nextDouble() * 0.15,
                    random.nextDouble() * 0.15,
                    random.nextDouble() * 0.2,
                    random.nextDouble() * 0.3,
                    random.nextDouble() * 0.2);
            ingest = new SimulatedIngest(new Random(seed + 1), misfortunes, Story::poisoned);
            ReporterConfig plain = ReporterConfig.of("simulated")
                    .withBackoff(Duration.ofMillis(20), Duration.ofSeconds(2))
                    .withAttemptTimeouts(Duration.ofMillis(200), Duration.ofSeconds(2))
                    .withMemoryBytes(64L * 1024 * 1024);
            config = folder == null ? plain : plain.withMemoryBytes(8L * 1024 * 1024);
            simulation = simulation(0);
        }

        private Simulation simulation(int life) {
            return folder == null
                    ? new Simulation(config, ingest, new Random(random.nextLong()))
                    : new Simulation(
                            config.withSpool(new SpoolSettings(folder.resolve("" + life), 16L * 1024 * 1024)),
                            // So little that most of what waits is on disk.
                            4_000 + random.nextInt(100_000),
                            ingest,
                            new Random(random.nextLong()),
                            ReporterListener.NONE);
        }

        void play() {
            int steps = 50 + random.nextInt(400);
            for (int step = 0; step < steps; step++) {
                Expected execution = expected.computeIfAbsent("run-" + random.nextInt(3), Expected::new);
                step(execution);
                if (random.nextInt(3) == 0) {
                    simulation.run(Duration.ofMillis(random.nextInt(60)));
                }
                if (folder != null && random.nextInt(60) == 0) {
                    kill();
                }
            }
            for (Expected execution : expected.values()) {
                execution.report(update().setPhaseChanged(
                                update().getPhaseChangedBuilder().setPhase(Phase.PHASE_COMPLETED)));
            }
            simulation.run(Duration.ofSeconds(random.nextInt(5)));
            simulation.ingest.misfortunes(Misfortunes.NONE);
            FlushResult result = simulation.flush(Duration.ofSeconds(60));
            assertThat(result.complete()).as("%s", result).isTrue();
            for (Expected execution : expected.values()) {
                execution.verify();
            }
            assertThat(simulation.budget.used())
                    .as("bytes that nobody waits for")
                    .isZero();
            ReporterStats stats = simulation.stats();
            if (folder == null) {
                assertThat(stats.acked()).isEqualTo(stats.sequenced());
            } else {
                assertThat(stats.spoolFailures()).isZero();
                assertThat(stats.omitted()).isEqualTo(stats.substituted());
            }
        }

        /** The process is gone from one moment to the next; another one finds what of its files the system has. */
        private void kill() {
            Path before = Objects.requireNonNull(folder).resolve("" + kills++);
            simulation.run(Duration.ZERO);
            try {
                copy(before, folder.resolve("" + kills), random);
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
            simulation = simulation(kills);
            for (Expected execution : expected.values()) {
                execution.died();
            }
        }

        private static void copy(Path from, Path to, Random random) throws IOException {
            Files.createDirectories(to);
            List<Path> segments = new ArrayList<>();
            try (DirectoryStream<Path> files = Files.newDirectoryStream(from, "*.spool")) {
                files.forEach(segments::add);
            }
            segments.sort(null);
            for (Path segment : segments) {
                Files.copy(segment, to.resolve(segment.getFileName()));
            }
            // A record that was being written: it was not sent, since sending comes after writing.
            byte[] torn = new byte[random.nextInt(40)];
            random.nextBytes(torn);
            if (torn.length > 8 && random.nextBoolean()) {
                // A length that could be one.
                torn[0] = 0;
                torn[1] = 0;
            }
            Path last = segments.get(segments.size() - 1);
            Files.write(to.resolve(last.getFileName()), torn, StandardOpenOption.APPEND);
        }

        private void step(Expected execution) {
            switch (random.nextInt(8)) {
                case 0 -> execution.begin("m" + nextEntry++);
                case 1 ->
                    execution.report(update().setExecutionPatched(update().getExecutionPatchedBuilder()
                            .setProgress(Progress.newBuilder().setPercent(random.nextInt(101)))));
                case 2 -> {
                    if (random.nextInt(10) == 0) {
                        execution.report(update().setExecutionPatched(
                                        update().getExecutionPatchedBuilder().putLabels(POISON, "")));
                    }
                }
                default -> execution.append();
            }
        }

        private Update.Builder update() {
            return Update.newBuilder();
        }

        private static boolean poisoned(Update update) {
            return update.getExecutionPatched().containsLabels(POISON);
        }

        private final class Expected {
            private ExecutionReporter reporter;
            private final List<String> entries = new ArrayList<>();
            private final List<Moment> moments = new ArrayList<>();
            private final Map<String, String> texts = new TreeMap<>();
            private final Map<String, Character> halves = new HashMap<>();

            Expected(String id) {
                reporter = simulation.execution(id, EPOCH);
            }

            /** What had no sequence died with its process; the rest of the story does not know it. */
            void died() {
                PendingQueue queue = reporter.outbox().queue;
                queue.look();
                Map<String, String> lost = new HashMap<>();
                int lostMoments = 0;
                for (Pending item = queue.poll(true, 0); item != null; item = queue.poll(true, 0)) {
                    if (item instanceof Pending.Text text) {
                        String name = IngestLog.name(text.key.entryId(), text.key.field());
                        lost.merge(name, text.text.toByteString().toStringUtf8(), String::concat);
                    } else {
                        lostMoments++;
                    }
                }
                moments.subList(moments.size() - lostMoments, moments.size()).clear();
                lost.forEach((name, text) -> {
                    assertThat(texts.get(name)).endsWith(text);
                    texts.compute(name, (key, whole) -> {
                        int left = Objects.requireNonNull(whole).length() - text.length();
                        return left == 0 ? null : whole.substring(0, left);
                    });
                });
                halves.clear();
                reporter = simulation.execution(reporter.executionId(), EPOCH);
            }

            void begin(String id) {
                entries.add(id);
                report(update().setEntryUpserted(EntryUpserted.newBuilder()
                        .setEntry(Entry.newBuilder().setEntryId(id).setMessage(ChatMessage.getDefaultInstance()))));
            }

            void report(Update.Builder builder) {
                Update update = builder.build();
                if (Changes.terminal(update)) {
                    for (Map.Entry<String, Character> half : Map.copyOf(halves).entrySet()) {
                        texts.merge(half.getKey(), "\uFFFD", String::concat);
                    }
                    halves.clear();
                }
                moments.add(new Moment(update, Map.copyOf(texts)));
                reporter.update(update);
            }

            void append() {
                if (entries.isEmpty()) {
                    return;
                }
                String entry = entries.get(random.nextInt(entries.size()));
                String name = IngestLog.name(entry, TextField.TEXT_FIELD_TEXT);
                String text = SNIPPETS[random.nextInt(SNIPPETS.length)].repeat(1 + random.nextInt(3));
                if (random.nextInt(200) == 0) {
                    text = text.repeat(10_000);
                }
                int cut = random.nextInt(text.length() + 1);
                for (String part : List.of(text.substring(0, cut), text.substring(cut))) {
                    reporter.appendText(entry, part);
                    expect(name, part);
                }
            }

            /** A text grows by whole characters: the half of one waits for the other. */
            private void expect(String name, String part) {
                Character half = halves.remove(name);
                String whole = half == null ? part : half + part;
                if (!whole.isEmpty() && Character.isHighSurrogate(whole.charAt(whole.length() - 1))) {
                    halves.put(name, whole.charAt(whole.length() - 1));
                    whole = whole.substring(0, whole.length() - 1);
                }
                if (!whole.isEmpty()) {
                    texts.merge(name, whole, String::concat);
                }
            }

            void verify() {
                StreamKey key = new StreamKey(reporter.executionId(), "", EPOCH);
                List<Moment> logged = simulation.ingest.log.moments(key);
                assertThat(logged).hasSameSizeAs(moments);
                for (int i = 0; i < moments.size(); i++) {
                    Update reported = moments.get(i).update();
                    if (poisoned(reported)) {
                        Omitted omitted = logged.get(i).update().getOmitted();
                        assertThat(omitted.getCount()).isEqualTo(1);
                    } else {
                        assertThat(logged.get(i).update()).isEqualTo(reported);
                    }
                    assertThat(logged.get(i).texts()).isEqualTo(moments.get(i).texts());
                }
                assertThat(simulation.ingest.log.texts(key)).isEqualTo(texts);
            }
        }
    }
}
