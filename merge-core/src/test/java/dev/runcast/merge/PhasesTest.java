package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Control;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WriterKind;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The published tables, entry by entry, and the merge held to them. */
final class PhasesTest {
    private static final List<String> SAID =
            List.of("PENDING", "RUNNING", "PAUSED", "COMPLETED", "FAILED", "CANCELLED", "TERMINATED");
    private static final List<String> TRANSITIONS = List.of(
            // present               PENDING  RUNNING  PAUSED   COMPLETED FAILED CANCELLED TERMINATED
            "PENDING                 applies  applies  applies  applies   applies  applies  applies",
            "RUNNING                 cannot   applies  applies  applies   applies  applies  applies",
            "WAITING_FOR_APPROVAL    cannot   applies  applies  applies   applies  applies  applies",
            "PAUSED                  cannot   applies  applies  applies   applies  applies  applies",
            "COMPLETED               ended    ended    ended    recorded  recorded recorded recorded",
            "FAILED                  ended    ended    ended    recorded  recorded recorded recorded",
            "CANCELLED               ended    ended    ended    recorded  recorded recorded recorded",
            "TERMINATED              ended    ended    ended    recorded  recorded recorded recorded");

    static Stream<Arguments> transitions() {
        return TRANSITIONS.stream().flatMap(row -> {
            String[] cells = row.split(" +");
            return Stream.iterate(0, i -> i < SAID.size(), i -> i + 1)
                    .map(i -> Arguments.of(phase(cells[0]), phase(SAID.get(i)), cells[i + 1]));
        });
    }

    @ParameterizedTest(name = "{1} said in {0}: {2}")
    @MethodSource("transitions")
    void transitionDoesWhatTheTableSays(Phase present, Phase said, String does) {
        Phases.Effect effect =
                switch (does) {
                    case "applies" -> Phases.Effect.APPLIES;
                    case "cannot" -> Phases.Effect.CANNOT_FOLLOW;
                    case "ended" -> Phases.Effect.HAS_ENDED;
                    default -> Phases.Effect.IS_RECORDED;
                };
        assertThat(Phases.effect(present, said)).isEqualTo(effect);

        Fixture execution = inPhase(present);
        MergeResult result = execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(said));
        Phase after = execution.view.execution().getPhase();
        switch (effect) {
            case APPLIES ->
                assertThat(after)
                        .isEqualTo(said == Phase.PHASE_RUNNING && present != Phase.PHASE_PENDING ? present : said);
            case CANNOT_FOLLOW, HAS_ENDED -> {
                assertThat(after).isEqualTo(present);
                assertThat(result.rejections()).singleElement().satisfies(rejected -> assertThat(
                                rejected.getReason().name())
                        .endsWith(effect == Phases.Effect.HAS_ENDED ? "_ENDED" : "_TRANSITION"));
            }
            case IS_RECORDED -> {
                assertThat(after).isEqualTo(present);
                assertThat(execution.view.execution().getLateOutcome().getPhase())
                        .isEqualTo(said);
            }
        }
    }

    @Test
    void tableHasEveryPhase() {
        List<Phase> phases = Arrays.stream(Phase.values())
                .filter(phase -> phase != Phase.UNRECOGNIZED && phase != Phase.PHASE_UNSPECIFIED)
                .toList();
        assertThat(TRANSITIONS.stream().map(row -> phase(row.split(" +")[0])).toList())
                .as("rows")
                .isEqualTo(phases);
        assertThat(SAID.stream().map(PhasesTest::phase).toList())
                .as("what can be said: all but what follows from approvals")
                .containsExactlyInAnyOrderElementsOf(phases.stream()
                        .filter(phase -> phase != Phase.PHASE_WAITING_FOR_APPROVAL)
                        .toList());
    }

    @ParameterizedTest(name = "{0}, named {1}, may say {2}")
    @CsvSource(delimiter = '|', textBlock = """
                    RUNNER   | false | PENDING RUNNING COMPLETED FAILED CANCELLED
                    RUNNER   | true  | PENDING RUNNING
                    WORKFLOW | false | PENDING RUNNING PAUSED COMPLETED FAILED CANCELLED TERMINATED
                    WORKFLOW | true  | PENDING RUNNING PAUSED COMPLETED FAILED CANCELLED TERMINATED
                    SYSTEM   | false | PENDING RUNNING PAUSED COMPLETED FAILED CANCELLED TERMINATED
                    SYSTEM   | true  | PENDING RUNNING PAUSED COMPLETED FAILED CANCELLED TERMINATED
                    OPERATOR | false |
                    OPERATOR | true  |
                    """)
    void writerMaySayWhatTheTableSays(String kind, boolean named, String may) {
        List<String> allowed = may == null ? List.of() : List.of(may.split(" "));
        for (String said : SAID) {
            assertThat(Phases.maySay(WriterKind.valueOf("WRITER_KIND_" + kind), named, phase(said)))
                    .as("%s says %s", kind, said)
                    .isEqualTo(allowed.contains(said));
        }
    }

    private static Fixture inPhase(Phase phase) {
        Fixture execution = new Fixture();
        switch (phase) {
            case PHASE_PENDING -> execution.run(Fixture.declared(""));
            case PHASE_RUNNING -> execution.run(Fixture.started());
            case PHASE_WAITING_FOR_APPROVAL -> execution.run(Fixture.started(), Fixture.asks("ask-1"));
            case PHASE_PAUSED -> {
                execution.run(Fixture.started());
                execution.request(WriterKind.WRITER_KIND_OPERATOR, Fixture.control(Control.CONTROL_PAUSE));
            }
            default -> {
                execution.run(Fixture.started());
                execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(phase));
            }
        }
        assertThat(execution.view.execution().getPhase()).isEqualTo(phase);
        return execution;
    }

    private static Phase phase(String name) {
        return Phase.valueOf("PHASE_" + name);
    }
}
