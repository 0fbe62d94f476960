package dev.runcast.store;

import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;

/**
 * Which executions a list has: all conditions hold. The part of AIP-160 that is understood: comparisons of {@code
 * phase}, {@code agent}, {@code session_id} and {@code labels.KEY} by {@code =} and {@code !=}, of {@code created_at}
 * also by {@code <}, {@code <=}, {@code >} and {@code >=}, joined by {@code AND}.
 *
 * @param conditions none for all executions
 */
public record ExecutionFilter(List<Condition> conditions) {
    /** All executions. */
    public static final ExecutionFilter ALL = new ExecutionFilter(List.of());

    /** How a field is compared. */
    public enum Comparison {
        /** Is the value. */
        EQUAL("="),
        /** Is not the value; what is not given is not the value. */
        NOT_EQUAL("!="),
        /** Lies before the value. */
        LESS("<"),
        /** Lies before the value or is it. */
        LESS_OR_EQUAL("<="),
        /** Lies after the value. */
        GREATER(">"),
        /** Lies after the value or is it. */
        GREATER_OR_EQUAL(">=");

        private final String sign;

        Comparison(String sign) {
            this.sign = sign;
        }

        /** As written in a filter. */
        public String sign() {
            return sign;
        }

        boolean holds(int compared) {
            return switch (this) {
                case EQUAL -> compared == 0;
                case NOT_EQUAL -> compared != 0;
                case LESS -> compared < 0;
                case LESS_OR_EQUAL -> compared <= 0;
                case GREATER -> compared > 0;
                case GREATER_OR_EQUAL -> compared >= 0;
            };
        }
    }

    /** One comparison. */
    public sealed interface Condition {
        /** How it compares. */
        Comparison comparison();

        /** Whether it holds for a complete execution. */
        boolean matches(Execution execution);

        /** The phase; only equal or not. */
        record OfPhase(Comparison comparison, Phase phase) implements Condition {
            @Override
            public boolean matches(Execution execution) {
                return comparison.holds(execution.getPhase().compareTo(phase));
            }
        }

        /** The agent's name; only equal or not. */
        record OfAgent(Comparison comparison, String agent) implements Condition {
            @Override
            public boolean matches(Execution execution) {
                return comparison.holds(execution.getSpec().getAgent().compareTo(agent));
            }
        }

        /** The session; only equal or not. */
        record OfSession(Comparison comparison, String sessionId) implements Condition {
            @Override
            public boolean matches(Execution execution) {
                return comparison.holds(execution.getSpec().getSessionId().compareTo(sessionId));
            }
        }

        /** A label; only equal or not. An execution without the label has no value that could be equal. */
        record OfLabel(Comparison comparison, String label, String value) implements Condition {
            @Override
            public boolean matches(Execution execution) {
                String actual = execution.getAttributes().getLabelsMap().get(label);
                return (comparison == Comparison.EQUAL) == value.equals(actual);
            }
        }

        /** When the first update was received, in milliseconds. */
        record OfCreation(Comparison comparison, Instant createdAt) implements Condition {
            /** Cuts to milliseconds. */
            public OfCreation {
                createdAt = createdAt.truncatedTo(ChronoUnit.MILLIS);
            }

            @Override
            public boolean matches(Execution execution) {
                return comparison.holds(Long.compare(Times.millis(execution.getCreatedAt()), createdAt.toEpochMilli()));
            }
        }
    }

    /** Copies the list. */
    public ExecutionFilter {
        conditions = List.copyOf(conditions);
    }

    /**
     * Reads a filter, such as {@code phase = RUNNING AND labels.team = "search"}. Blank means all.
     *
     * @throws InvalidQueryException with the position, counted from 1, of what is not understood
     */
    public static ExecutionFilter parse(String filter) {
        return new FilterParser(filter).parse();
    }

    /** Whether all conditions hold for a complete execution. */
    public boolean matches(Execution execution) {
        for (Condition condition : conditions) {
            if (!condition.matches(execution)) {
                return false;
            }
        }
        return true;
    }

    static String nameOf(Phase phase) {
        return phase.name().substring("PHASE_".length()).toUpperCase(Locale.ROOT);
    }
}
