package dev.runcast.api.door;

import com.google.protobuf.Duration;
import com.google.protobuf.util.Durations;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import java.text.ParseException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.springframework.util.MultiValueMap;

/**
 * The query of a request, by the contract's field names. Each may be written in snake_case or camelCase, at most once;
 * any other is refused by name rather than ignored, so that a typing error does not silently list everything.
 */
final class Parameters {
    private final Map<String, String> values;

    private Parameters(Map<String, String> values) {
        this.values = values;
    }

    /**
     * Reads a query.
     *
     * @param allowed field names in snake_case
     * @throws dev.runcast.doors.DoorException INVALID, naming the parameter
     */
    static Parameters of(MultiValueMap<String, String> query, Set<String> allowed) {
        Map<String, String> values = new HashMap<>();
        for (Map.Entry<String, List<String>> parameter : query.entrySet()) {
            String written = parameter.getKey();
            String name = allowed.stream()
                    .filter(candidate ->
                            candidate.equals(written) || camelCase(candidate).equals(written))
                    .findFirst()
                    .orElseThrow(() -> unknown(written, allowed));
            if (parameter.getValue().size() != 1 || values.containsKey(name)) {
                throw Failures.value(Reason.INVALID, name, "given more than once", "at most once");
            }
            String value = parameter.getValue().get(0);
            values.put(name, value == null ? "" : value);
        }
        return new Parameters(values);
    }

    /** A text; empty when not given. */
    String text(String name) {
        return values.getOrDefault(name, "");
    }

    /** A whole number of 32 bits; 0 when not given. */
    int integer(String name) {
        long value = number(name);
        if (value != (int) value) {
            throw Failures.value(Reason.INVALID, name, text(name), "a whole number of 32 bits");
        }
        return (int) value;
    }

    /** A whole number of 64 bits; 0 when not given. */
    long number(String name) {
        String value = values.get(name);
        if (value == null) {
            return 0;
        }
        try {
            return Long.parseLong(value);
        } catch (NumberFormatException e) {
            throw Failures.value(
                    Reason.INVALID,
                    name,
                    '"' + value + '"',
                    value.matches("[+-]?\\d+") ? "a whole number of 64 bits" : "a whole number");
        }
    }

    /** A duration as ProtoJSON has it; 0 when not given. */
    Duration duration(String name) {
        String value = values.get(name);
        if (value == null) {
            return Duration.getDefaultInstance();
        }
        try {
            return Durations.parse(value);
        } catch (ParseException e) {
            throw Failures.value(Reason.INVALID, name, '"' + value + '"', "seconds, such as 10s");
        }
    }

    private static RuntimeException unknown(String written, Set<String> allowed) {
        return Failures.value(
                Reason.INVALID,
                written,
                "unknown parameter",
                allowed.isEmpty() ? "none" : "one of " + String.join(", ", new TreeSet<>(allowed)));
    }

    private static String camelCase(String name) {
        StringBuilder camel = new StringBuilder();
        for (String word : name.split("_")) {
            camel.append(camel.isEmpty() ? word : Character.toUpperCase(word.charAt(0)) + word.substring(1));
        }
        return camel.toString();
    }
}
