package dev.runcast.store;

import dev.runcast.store.ExecutionFilter.Comparison;
import dev.runcast.store.ExecutionFilter.Condition;
import dev.runcast.v1.Phase;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Reads the part of AIP-160 that {@link ExecutionFilter} describes, left to right, in one pass. */
final class FilterParser {
    private static final String FIELDS = "phase, agent, session_id, labels.KEY or created_at";
    private static final String PHASES =
            "PENDING, RUNNING, WAITING_FOR_APPROVAL, PAUSED, COMPLETED, FAILED, CANCELLED" + " or TERMINATED";
    private static final Set<Comparison> EQUALITY = EnumSet.of(Comparison.EQUAL, Comparison.NOT_EQUAL);
    private static final int SHOWN = 40;

    private final String filter;
    private int at;

    FilterParser(String filter) {
        this.filter = filter;
    }

    ExecutionFilter parse() {
        List<Condition> conditions = new ArrayList<>();
        skipBlanks();
        while (at < filter.length()) {
            if (!conditions.isEmpty()) {
                int start = at;
                if (!"AND".equals(word())) {
                    throw wrong(start, "AND between comparisons");
                }
                skipBlanks();
            }
            conditions.add(condition());
            skipBlanks();
        }
        return conditions.isEmpty() ? ExecutionFilter.ALL : new ExecutionFilter(conditions);
    }

    private Condition condition() {
        int start = at;
        String field = word();
        if (field.equals("labels.") && at < filter.length() && isQuote(filter.charAt(at))) {
            field += quoted();
        }
        return switch (field) {
            case "phase" -> {
                Comparison comparison = comparison(EQUALITY);
                yield new Condition.OfPhase(comparison, phase());
            }
            case "agent" -> new Condition.OfAgent(comparison(EQUALITY), value());
            case "session_id" -> new Condition.OfSession(comparison(EQUALITY), value());
            case "created_at" -> {
                Comparison comparison = comparison(EnumSet.allOf(Comparison.class));
                yield new Condition.OfCreation(comparison, time());
            }
            default -> {
                if (!field.startsWith("labels.") || field.length() == "labels.".length()) {
                    throw wrong(start, FIELDS);
                }
                yield new Condition.OfLabel(comparison(EQUALITY), field.substring("labels.".length()), value());
            }
        };
    }

    private Comparison comparison(Set<Comparison> allowed) {
        skipBlanks();
        Comparison found = null;
        for (Comparison comparison : allowed) {
            if (filter.startsWith(comparison.sign(), at)
                    && (found == null
                            || comparison.sign().length() > found.sign().length())) {
                found = comparison;
            }
        }
        if (found == null) {
            throw wrong(at, allowed.size() == EQUALITY.size() ? "= or !=" : "=, !=, <, <=, > or >=");
        }
        at += found.sign().length();
        skipBlanks();
        return found;
    }

    private Phase phase() {
        int start = at;
        String name = value();
        for (Phase phase : Phase.values()) {
            if (phase != Phase.UNRECOGNIZED
                    && phase != Phase.PHASE_UNSPECIFIED
                    && (ExecutionFilter.nameOf(phase).equals(name)
                            || phase.name().equals(name))) {
                return phase;
            }
        }
        throw wrong(start, PHASES);
    }

    private Instant time() {
        int start = at;
        try {
            Instant time = OffsetDateTime.parse(value()).toInstant();
            // What no clock says is refused here: as milliseconds it could overflow later.
            if (time.isBefore(Instant.parse("0001-01-01T00:00:00Z"))
                    || time.isAfter(Instant.parse("9999-12-31T23:59:59.999Z"))) {
                throw wrong(start, "a year from 0001 to 9999");
            }
            return time;
        } catch (DateTimeException e) {
            throw wrong(start, "a time such as \"2026-01-31T12:00:00Z\"");
        }
    }

    private String value() {
        int start = at;
        if (at < filter.length() && isQuote(filter.charAt(at))) {
            return quoted();
        }
        while (at < filter.length() && isBare(filter.charAt(at))) {
            at++;
        }
        if (at == start) {
            throw wrong(start, "a value");
        }
        return filter.substring(start, at);
    }

    private String quoted() {
        int start = at;
        char quote = filter.charAt(at++);
        StringBuilder value = new StringBuilder();
        while (at < filter.length()) {
            char c = filter.charAt(at++);
            if (c == quote) {
                return value.toString();
            }
            if (c == '\\' && at < filter.length()) {
                c = filter.charAt(at++);
            }
            value.append(c);
        }
        throw wrong(start, "a closing " + quote);
    }

    private String word() {
        int start = at;
        while (at < filter.length() && isWord(filter.charAt(at))) {
            at++;
        }
        return filter.substring(start, at);
    }

    private void skipBlanks() {
        while (at < filter.length() && Character.isWhitespace(filter.charAt(at))) {
            at++;
        }
    }

    private static boolean isQuote(char c) {
        return c == '"' || c == '\'';
    }

    private static boolean isWord(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || "._/-".indexOf(c) >= 0;
    }

    private static boolean isBare(char c) {
        return !Character.isWhitespace(c) && "()\"'=<>!,".indexOf(c) < 0;
    }

    private InvalidQueryException wrong(int position, String expected) {
        String rest = filter.substring(position);
        String shown = rest.isEmpty()
                ? "its end"
                : "\"%s\"".formatted(rest.length() > SHOWN ? rest.substring(0, SHOWN) + "…" : rest);
        return new InvalidQueryException("filter", "%s at position %d".formatted(shown, position + 1), expected);
    }
}
