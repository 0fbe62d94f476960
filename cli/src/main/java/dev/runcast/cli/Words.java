package dev.runcast.cli;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** How states, durations and long texts read in a terminal. */
final class Words {
    private static final DateTimeFormatter MILLISECONDS = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private Words() {}

    /** The phase without its prefix, with what qualifies it. */
    static String phase(Execution execution) {
        String phase = phase(execution.getPhase());
        if (execution.getStalled()) {
            return phase + " (stalled)";
        }
        return execution.getCancelRequested() ? phase + " (cancelling)" : phase;
    }

    /** The phase without its prefix. */
    static String phase(Phase phase) {
        return phase.name().substring("PHASE_".length());
    }

    /** The state without its prefix. */
    static String state(EntryState state) {
        return state.name().substring("ENTRY_STATE_".length());
    }

    /** Whether an entry in this state is done with. */
    static boolean finished(EntryState state) {
        return switch (state) {
            case ENTRY_STATE_COMPLETED,
                    ENTRY_STATE_FAILED,
                    ENTRY_STATE_SKIPPED,
                    ENTRY_STATE_CANCELLED,
                    ENTRY_STATE_INTERRUPTED -> true;
            default -> false;
        };
    }

    /** Whether an execution in this phase has ended. */
    static boolean terminal(Phase phase) {
        return switch (phase) {
            case PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED -> true;
            default -> false;
        };
    }

    /** A mark for the state: one column wide in every common font. */
    static String mark(EntryState state) {
        return switch (state) {
            case ENTRY_STATE_COMPLETED -> "✓";
            case ENTRY_STATE_FAILED -> "✗";
            case ENTRY_STATE_RUNNING -> "▸";
            case ENTRY_STATE_WAITING -> "?";
            case ENTRY_STATE_SKIPPED, ENTRY_STATE_CANCELLED -> "-";
            case ENTRY_STATE_INTERRUPTED -> "!";
            default -> "·";
        };
    }

    /** Code and message of a failure, harmless. */
    static String failure(Failure failure) {
        return harmless(
                failure.getMessage().isEmpty() ? failure.getCode() : failure.getCode() + ": " + failure.getMessage());
    }

    /** How long an entry took, or has taken until {@code now}; empty when it never said. */
    static String duration(Entry entry, Timestamp now) {
        if (!entry.hasStartedAt()) {
            return "";
        }
        Timestamp end =
                entry.hasEndedAt() ? entry.getEndedAt() : finished(entry.getState()) ? entry.getUpdatedAt() : now;
        return seconds(Timestamps.toMillis(end) - Timestamps.toMillis(entry.getStartedAt()));
    }

    /** A time to the millisecond, always as wide: 2026-01-01T12:00:00.340Z. */
    static String time(Timestamp time) {
        return MILLISECONDS.format(Instant.ofEpochSecond(time.getSeconds(), time.getNanos()));
    }

    /** A time to the second: 2026-01-01T12:00:00Z. */
    static String second(Timestamp time) {
        return Instant.ofEpochSecond(time.getSeconds()).toString();
    }

    /** Labels as they are given: k=v, by their keys. */
    static String labels(Map<String, String> labels) {
        return new TreeMap<>(labels)
                .entrySet().stream()
                        .map(label -> label.getKey() + '=' + label.getValue())
                        .collect(Collectors.joining(" "));
    }

    /** Milliseconds as a person reads them: 340 ms, 2.5 s, 3 min 20 s. */
    static String seconds(long millis) {
        long positive = Math.max(0, millis);
        if (positive < 1000) {
            return positive + " ms";
        }
        if (positive < 60_000) {
            return String.format(Locale.ROOT, "%.1f s", positive / 1000.0);
        }
        return positive / 60_000 + " min " + positive % 60_000 / 1000 + " s";
    }

    /** The beginning on one line and harmless, with an ellipsis where something is left out. */
    static String shortened(String text, int columns) {
        StringBuilder line = new StringBuilder();
        for (int i = 0, used = 0; i < text.length(); used++) {
            int character = text.codePointAt(i);
            if (used == columns - 1 && i + Character.charCount(character) < text.length()) {
                return line.append('…').toString();
            }
            line.appendCodePoint(steers(character) ? ' ' : character);
            i += Character.charCount(character);
        }
        return line.toString();
    }

    /**
     * Text that cannot steer the terminal, nor show words in another order than they have: control characters but
     * newline and tab become visible, and so do overrides and isolates of direction (Boucher and Anderson 2021).
     */
    static String harmless(String text) {
        StringBuilder clean = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean steering = steers(c) && c != '\n' && c != '\t';
            if (steering && clean == null) {
                clean = new StringBuilder(text.length()).append(text, 0, i);
            }
            if (clean != null) {
                clean.append(steering ? (c < 0x20 ? (char) (0x2400 + c) : '\uFFFD') : c);
            }
        }
        return clean == null ? text : clean.toString();
    }

    private static boolean steers(int c) {
        return Character.isISOControl(c) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    }
}
