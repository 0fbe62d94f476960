package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Message;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.UpdateBatch;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the merge against the oracle over drawn histories. {@code -Druncast.seed=N} runs one of them,
 * {@code -Druncast.histories=N} another number of them.
 */
final class MergeOracleTest {
    private static final int HISTORIES = Integer.getInteger("runcast.histories", 10_000);

    private static final List<String> DRAWN = Stream.of(
                    Stream.of("APPLIED", "DUPLICATE"),
                    Stream.of(
                                    "SEQUENCE_GAP",
                                    "FENCED",
                                    "INVALID",
                                    "NOT_PERMITTED",
                                    "TRANSITION",
                                    "ENDED",
                                    "UNKNOWN_ENTRY",
                                    "ENTRY_KIND",
                                    "ENTRY_FINISHED",
                                    "TEXT_OFFSET",
                                    "TOO_LARGE",
                                    "TOO_MANY",
                                    "CLOSED")
                            .map(reason -> "REJECTED REJECTION_REASON_" + reason),
                    Stream.of("ALREADY_DECIDED", "STALE", "VERDICT_OUTDATED", "ENDED", "FENCED", "CLOSED")
                            .map(reason -> "REFUSED REJECTION_REASON_" + reason),
                    Stream.of(
                            "SHUT OUT AFTER THE END",
                            "ADOPTED AFTER THE END UNDER 1",
                            "ADOPTED AFTER THE END UNDER 2",
                            "GIVEN UP",
                            "LOST UNDER 1",
                            "LOST UNDER 2",
                            "ENDED AS ITS WORKFLOW UNDER 2",
                            "NO ROOM TO SETTLE UNDER 1",
                            "NO ROOM TO SETTLE UNDER 2",
                            "NOT SETTLED FOR ITS SIZE"))
            .flatMap(received -> received)
            .toList();

    /** A log that has been merged, and what came of it. */
    private record Merged(
            MemoryState state, List<String> outcomes, List<Change> changes, List<ExecutionSignals> signals) {
        static Merged of(List<UpdateBatch> log, boolean expire) {
            Merged merged = new Merged(new MemoryState(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
            Instant logTime = Instant.EPOCH;
            for (UpdateBatch batch : log) {
                MergeResult result = Merge.apply(merged.state, batch);
                merged.state.write(result.writes());
                result.outcomes().forEach(outcome -> merged.outcomes.add(shown(outcome)));
                for (ChangeBatch changes : result.changes()) {
                    merged.changes.addAll(changes.getChangesList());
                }
                if (result.signals() != null) {
                    merged.signals.add(result.signals());
                }
                if (expire) {
                    Instant at = Instant.ofEpochSecond(
                            batch.getReceivedAt().getSeconds(),
                            batch.getReceivedAt().getNanos());
                    logTime = at.isAfter(logTime) ? at : logTime;
                    merged.state.write(Merge.expire(merged.state, logTime, 3));
                }
            }
            return merged;
        }

        private static String shown(Outcome outcome) {
            if (outcome instanceof Outcome.Rejected rejected) {
                return "REJECTED " + rejected.reason();
            }
            return outcome instanceof Outcome.Applied ? "APPLIED" : "DUPLICATE";
        }
    }

    @Test
    void mergeEqualsOracleInAnyBatchSplitAndTheViewEqualsTheState() {
        Long only = Long.getLong("runcast.seed");
        Map<String, Integer> received = new TreeMap<>();
        for (long seed = only == null ? 1 : only; seed <= (only == null ? HISTORIES : only); seed++) {
            try {
                Histories.History history = Histories.draw(seed);
                check(history, seed);
                history.oracle().outcomes.forEach(outcome -> received.merge(outcome, 1, Integer::sum));
                history.oracle().situations.forEach(situation -> received.merge(situation, 1, Integer::sum));
                history.oracle().changes.stream()
                        .filter(change -> change.getRequestOutcome().getRefusedValue() != 0)
                        .forEach(change -> received.merge(
                                "REFUSED " + change.getRequestOutcome().getRefused(), 1, Integer::sum));
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed %d; rerun: mvn -pl merge-core test -Dtest=MergeOracleTest -Druncast.seed=%d"
                                .formatted(seed, seed),
                        e);
            }
        }
        System.out.println("merge = oracle for " + received);
        if (only == null && HISTORIES >= 10_000) {
            assertThat(received.keySet())
                    .as("every way to be received was drawn")
                    .containsAll(DRAWN);
        }
    }

    /** Two lives of one id, a month apart: the second does not depend on what has left of the first, nor on the batches. */
    @Test
    void secondLifeOfAnIdIsTheSameWhateverHasLeftOfTheFirst() {
        int forgotten = 0;
        for (long seed = 1; seed <= 500; seed++) {
            List<UpdateBatch> log = new ArrayList<>();
            Histories.draw(seed).log().forEach(batch -> log.add(later(batch, Duration.ZERO)));
            int first = log.size();
            Histories.draw(seed + 500).log().forEach(batch -> log.add(later(batch, Duration.ofDays(40))));
            Merged merged = Merged.of(log, false);
            Merged split = Merged.of(split(log, new Random(seed)), true);
            assertThat(split.outcomes).as("outcomes of seed %d", seed).isEqualTo(merged.outcomes);
            assertEqual("changes of seed " + seed, split.changes, merged.changes);
            List<Change> ofTheFirst = Merged.of(log.subList(0, first), false).changes;
            if (!ofTheFirst.isEmpty()
                    && merged.changes.size() > ofTheFirst.size()
                    && merged.changes.get(ofTheFirst.size()).getVersion() == 1) {
                forgotten++;
            }
        }
        assertThat(forgotten).as("ids that were new again").isGreaterThan(100);
    }

    private static UpdateBatch later(UpdateBatch batch, Duration by) {
        UpdateBatch.Builder later = batch.toBuilder().setRules(2);
        later.getReceivedAtBuilder().setSeconds(batch.getReceivedAt().getSeconds() + by.toSeconds());
        return batch.getEpoch() == 0
                ? later.build()
                : later.setEpoch(batch.getEpoch() + by.toMillis()).build();
    }

    private static void check(Histories.History history, long seed) {
        Oracle oracle = history.oracle();
        Merged merged = Merged.of(history.log(), false);
        assertThat(merged.outcomes).as("outcomes").isEqualTo(oracle.outcomes);
        List<Change> plain =
                merged.changes.stream().map(MergeOracleTest::withoutMessage).toList();
        assertEqual("changes", plain, oracle.changes);

        Merged split = Merged.of(split(history.log(), new Random(seed)), (seed & 1) == 0);
        assertThat(split.outcomes).as("outcomes of the split log").isEqualTo(oracle.outcomes);
        assertEqual("changes of the split log", split.changes, merged.changes);

        ExecutionSignals level = merged.signals.isEmpty()
                ? null
                : merged.signals.get(merged.signals.size() - 1).toBuilder()
                        .clearVersion()
                        .clearUpdatedAt()
                        .build();
        if (level != null) {
            assertThat(level).as("level").isEqualTo(oracle.state.level(Histories.TENANT, Histories.EXECUTION));
            assertThat(split.signals.get(split.signals.size() - 1))
                    .as("level of the split log")
                    .isEqualTo(merged.signals.get(merged.signals.size() - 1));
        }
        checkView(oracle, merged, seed);
    }

    private static void checkView(Oracle oracle, Merged merged, long seed) {
        ExecutionView view = ExecutionView.EMPTY;
        for (Change change : merged.changes) {
            view = view.apply(change);
            assertThat(view.version()).isEqualTo(change.getVersion());
        }
        if (merged.changes.isEmpty()) {
            return;
        }
        Execution expected = oracle.state.execution(Histories.TENANT, Histories.EXECUTION);
        List<Entry> entries =
                oracle.state.items.stream().map(OracleState.Item::full).toList();
        assertEqual("view", List.of(view.execution()), List.of(expected));
        assertEqual("entries of the view", view.entries(), entries);
        assertEqual("stored execution", List.of(StoredState.execution(merged.state)), List.of(expected));
        assertEqual(
                "stored entries",
                StoredState.entries(merged.state),
                oracle.state.items.stream().map(item -> item.record).toList());

        Random random = new Random(seed);
        ExecutionView folded = ExecutionView.EMPTY;
        for (int from = 0; from < merged.changes.size(); ) {
            int to = from + 1 + random.nextInt(merged.changes.size() - from);
            folded = folded.apply(ExecutionView.fold(merged.changes.subList(from, to)));
            from = to;
        }
        assertEqual("folded view", List.of(folded.execution()), List.of(expected));
        assertEqual("entries of the folded view", folded.entries(), entries);
        ExecutionView restored = ExecutionView.EMPTY.apply(view.snapshot());
        assertEqual("restored view", List.of(restored.execution()), List.of(expected));
        assertEqual("entries of the restored view", restored.entries(), entries);
    }

    /** Equal messages have equal canonical forms; those are only made to show a difference. */
    private static void assertEqual(String what, List<? extends Message> actual, List<? extends Message> expected) {
        if (!actual.equals(expected)) {
            assertThat(Canonical.json(actual)).as(what).isEqualTo(Canonical.json(expected));
            throw new AssertionError(what + ": not equal, though the canonical forms are");
        }
    }

    private static Change withoutMessage(Change change) {
        if (!change.hasRequestOutcome()) {
            return change;
        }
        Change.Builder plain = change.toBuilder();
        plain.getRequestOutcomeBuilder().clearMessage();
        return plain.build();
    }

    private static List<UpdateBatch> split(List<UpdateBatch> log, Random random) {
        List<UpdateBatch> split = new ArrayList<>();
        for (UpdateBatch batch : log) {
            for (int from = 0; from < batch.getUpdatesCount(); ) {
                int to = from + 1 + random.nextInt(batch.getUpdatesCount() - from);
                UpdateBatch.Builder part = batch.toBuilder()
                        .clearUpdates()
                        .addAllUpdates(batch.getUpdatesList().subList(from, to));
                if (batch.hasFirstSequence()) {
                    part.setFirstSequence(batch.getFirstSequence() + from);
                }
                split.add(part.build());
                from = to;
            }
        }
        return split;
    }
}
