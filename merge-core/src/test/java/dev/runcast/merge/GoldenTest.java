package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.util.JsonFormat;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.UpdateBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the golden cases through the merge and the oracle. {@code -Druncast.golden.record=true} writes what comes of
 * them into the files instead: read every line of the difference before it is committed.
 */
final class GoldenTest {
    private static final Path FOLDER = Path.of("src/test/resources/golden");

    static Stream<GoldenCase> cases() {
        return GoldenCase.all().stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void mergeMakesOfTheHistoryWhatTheCaseSays(GoldenCase expected) throws IOException {
        MemoryState state = new MemoryState();
        List<String> outcomes = new ArrayList<>();
        List<Change> changes = new ArrayList<>();
        ExecutionView view = ExecutionView.EMPTY;
        for (UpdateBatch batch : expected.history()) {
            MergeResult result = Merge.apply(state, batch);
            state.write(result.writes());
            result.outcomes().forEach(outcome -> outcomes.add(GoldenCase.shown(outcome)));
            for (ChangeBatch made : result.changes()) {
                for (Change change : made.getChangesList()) {
                    changes.add(change);
                    view = view.apply(change);
                }
            }
        }
        GoldenCase actual = new GoldenCase(
                expected.name(),
                expected.because(),
                expected.history(),
                outcomes,
                changes,
                view.execution(),
                view.entries());
        if (Boolean.getBoolean("runcast.golden.record")) {
            Files.writeString(FOLDER.resolve(expected.name() + ".json"), actual.json());
        } else {
            assertThat(actual.json()).isEqualTo(expected.json());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void oracleMakesTheSameOfIt(GoldenCase expected) throws IOException {
        Oracle oracle = new Oracle();
        expected.history().forEach(oracle::apply);
        List<String> outcomes = oracle.outcomes.stream()
                .map(outcome -> outcome.replace("REJECTION_REASON_", ""))
                .toList();
        assertThat(outcomes).isEqualTo(expected.outcomes());
        assertThat(oracle.changes).hasSameSizeAs(expected.changes());
        if (!expected.changes().isEmpty()) {
            UpdateBatch first = expected.history().get(0);
            assertThat(JsonFormat.printer().print(oracle.state.execution(first.getTenant(), first.getExecutionId())))
                    .isEqualTo(JsonFormat.printer().print(expected.execution()));
        }
    }

    /** Each of these has a case under rules 2 beside it, so that both stories are told. */
    @Test
    void onlyTheseCasesGoAnotherWayUnderRules2() {
        List<String> others = GoldenCase.all().stream()
                .filter(of -> of.history().stream().allMatch(batch -> batch.getRules() == 1))
                .filter(of -> {
                    Oracle oracle = new Oracle();
                    of.history()
                            .forEach(batch ->
                                    oracle.apply(batch.toBuilder().setRules(2).build()));
                    List<Change> changes = oracle.changes.stream()
                            .map(change -> change.toBuilder())
                            .map(change -> (change.hasExecution() ? withRules(change) : change).build())
                            .toList();
                    List<Change> expected = of.changes().stream()
                            .map(change -> change.toBuilder())
                            .peek(change -> change.getRequestOutcomeBuilder().clearMessage())
                            .map(change -> withoutEmptyAnswer(change).build())
                            .toList();
                    return !changes.equals(expected);
                })
                .map(GoldenCase::name)
                .toList();
        assertThat(others)
                .containsExactly("attemptAfterTheEndTakesOverUnderRules1", "recoveredGoesOnAndFencesTheOldAttempt");
    }

    private static Change.Builder withRules(Change.Builder change) {
        change.getExecutionBuilder().setRules(1);
        return change;
    }

    private static Change.Builder withoutEmptyAnswer(Change.Builder change) {
        return change.getRequestOutcome().getRequestId().isEmpty() ? change.clearRequestOutcome() : change;
    }

    @Test
    void everyFileIsListed() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            List<String> names = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".json"))
                    .map(name -> name.replace(".json", ""))
                    .sorted()
                    .toList();
            assertThat(GoldenCase.names()).isSorted().isEqualTo(names).hasSizeGreaterThanOrEqualTo(20);
        }
    }
}
