package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.store.ExecutionFilter.Comparison;
import dev.runcast.store.ExecutionFilter.Condition;
import dev.runcast.v1.Phase;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExecutionFilterTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "\t\n"})
    void blankMeansAll(String filter) {
        assertThat(ExecutionFilter.parse(filter)).isEqualTo(ExecutionFilter.ALL);
    }

    @Test
    void comparisonsAreJoinedByAnd() {
        assertThat(ExecutionFilter.parse(
                                "phase = RUNNING AND labels.team = \"search\" AND created_at>=\"2026-01-31T12:00:00Z\"")
                        .conditions())
                .containsExactly(
                        new Condition.OfPhase(Comparison.EQUAL, Phase.PHASE_RUNNING),
                        new Condition.OfLabel(Comparison.EQUAL, "team", "search"),
                        new Condition.OfCreation(Comparison.GREATER_OR_EQUAL, Instant.parse("2026-01-31T12:00:00Z")));
    }

    @Test
    void quotesHoldAnythingAndEscapesAreUndone() {
        assertThat(ExecutionFilter.parse("agent=\"a \\\"b\\\" AND = 'c'\" AND session_id != 'x y'")
                        .conditions())
                .containsExactly(
                        new Condition.OfAgent(Comparison.EQUAL, "a \"b\" AND = 'c'"),
                        new Condition.OfSession(Comparison.NOT_EQUAL, "x y"));
    }

    @Test
    void contractsNameOfAPhaseIsUnderstoodToo() {
        assertThat(ExecutionFilter.parse("phase != PHASE_FAILED")).isEqualTo(ExecutionFilter.parse("phase!=FAILED"));
    }

    @ParameterizedTest
    @CsvSource(quoteCharacter = '`', delimiter = '|', textBlock = """
                    fase = RUNNING          | filter: "fase = RUNNING" at position 1 (expected: phase, agent, session_id, labels.KEY or created_at)
                    phase = RUNING          | filter: "RUNING" at position 9 (expected: PENDING, RUNNING, WAITING_FOR_APPROVAL, PAUSED, COMPLETED, FAILED, CANCELLED or TERMINATED)
                    phase = UNSPECIFIED     | filter: "UNSPECIFIED" at position 9 (expected: PENDING, RUNNING, WAITING_FOR_APPROVAL, PAUSED, COMPLETED, FAILED, CANCELLED or TERMINATED)
                    phase > RUNNING         | filter: "> RUNNING" at position 7 (expected: = or !=)
                    phase                   | filter: its end at position 6 (expected: = or !=)
                    agent =                 | filter: its end at position 9 (expected: a value)
                    agent = "x              | filter: ""x" at position 9 (expected: a closing ")
                    agent = x OR agent = y  | filter: "OR agent = y" at position 11 (expected: AND between comparisons)
                    agent = x agent = y     | filter: "agent = y" at position 11 (expected: AND between comparisons)
                    agent = x AND           | filter: its end at position 15 (expected: phase, agent, session_id, labels.KEY or created_at)
                    labels. = x             | filter: "labels. = x" at position 1 (expected: phase, agent, session_id, labels.KEY or created_at)
                    (phase = RUNNING)       | filter: "(phase = RUNNING)" at position 1 (expected: phase, agent, session_id, labels.KEY or created_at)
                    created_at > yesterday  | filter: "yesterday" at position 14 (expected: a time such as "2026-01-31T12:00:00Z")
                    created_at : 1          | filter: ": 1" at position 12 (expected: =, !=, <, <=, > or >=)
                    """)
    void whatIsNotUnderstoodIsNamedWithItsPosition(String filter, String message) {
        // The table cuts blanks at the end; one filter needs one.
        String written = filter.endsWith("=") || filter.endsWith("AND") ? filter + ' ' : filter;
        assertThatThrownBy(() -> ExecutionFilter.parse(written))
                .isInstanceOf(InvalidQueryException.class)
                .hasMessage(message);
    }

    @Test
    void yearOutOfRangeIsRefused() {
        assertThatThrownBy(() -> ExecutionFilter.parse("created_at > +999999999-12-31T23:59:59Z"))
                .isInstanceOf(InvalidQueryException.class)
                .hasMessageEndingWith("at position 14 (expected: a year from 0001 to 9999)");
    }
}
