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
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Whatever streams, refusals and acks do: what was reported is in the log, in order, once, with its text intact. */
class ChaosTest {
    private static final long EPOCH = 1_767_225_600_000L;
    private static final int STORIES = Integer.getInteger("runner.stories", 300);
    private static final String POISON = "poison";

    @Test
    void everythingReportedIsInTheLogInOrderAndOnce() {
        Long only = Long.getLong("runner.seed");
        long first = only == null ? new Random().nextLong() : only;
        for (int i = 0; i < (only == null ? STORIES : 1); i++) {
            long seed = first + i;
            try {
                new Story(seed).play();
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
        private final Simulation simulation;
        private final Map<String, Expected> expected = new HashMap<>();
        private int nextEntry;

        Story(long seed) {
            random = new Random(seed);
            Misfortunes misfortunes = new Misfortunes(
                    random.nextDouble() * 0.5,
                    random.nextDouble() * 0.15,
                    random.nextDouble() * 0.15,
                    random.nextDouble() * 0.2,
                    random.nextDouble() * 0.3,
                    random.nextDouble() * 0.2);
            SimulatedIngest ingest = new SimulatedIngest(new Random(seed + 1), misfortunes, Story::poisoned);
            ReporterConfig config = ReporterConfig.of("simulated")
                    .withBackoff(Duration.ofMillis(20), Duration.ofSeconds(2))
                    .withAttemptTimeouts(Duration.ofMillis(200), Duration.ofSeconds(2))
                    .withMemoryBytes(64L * 1024 * 1024);
            simulation = new Simulation(config, ingest, new Random(seed + 2));
        }

        void play() {
            int steps = 50 + random.nextInt(400);
            for (int step = 0; step < steps; step++) {
                Expected execution = expected.computeIfAbsent("run-" + random.nextInt(3), Expected::new);
                step(execution);
                if (random.nextInt(3) == 0) {
                    simulation.run(Duration.ofMillis(random.nextInt(60)));
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
            assertThat(stats.acked()).isEqualTo(stats.sequenced());
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
            private final ExecutionReporter reporter;
            private final List<String> entries = new ArrayList<>();
            private final List<Moment> moments = new ArrayList<>();
            private final Map<String, String> texts = new TreeMap<>();
            private final Map<String, Character> halves = new HashMap<>();

            Expected(String id) {
                reporter = simulation.execution(id, EPOCH);
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
