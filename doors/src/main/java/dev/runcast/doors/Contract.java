package dev.runcast.doors;

import build.buf.protovalidate.Config;
import build.buf.protovalidate.ValidationResult;
import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.protovalidate.Violation;
import build.buf.protovalidate.exceptions.ValidationException;
import build.buf.validate.FieldPathElement;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Holds messages against the rules that stand in the contract itself (protovalidate). Thread-safe; the rules of a
 * message type are compiled when it first comes by.
 */
public final class Contract {
    /** The messages of these rules begin so; what follows is what was expected. */
    private static final List<String> LEADS = List.of("must be ", "must ", "value must be ", "value must ");

    /** How a pattern that was not kept is said, before the pattern in backquotes. */
    private static final String UNLIKE = "does not match regex pattern ";

    private static final Set<String> TOO_LARGE_RULES =
            Set.of("string.max_len", "string.max_bytes", "repeated.max_items", "map.max_pairs");

    private static final int MOST_VIOLATIONS = 16;
    private static final Validator VALIDATOR = ValidatorFactory.newBuilder()
            .withConfig(Config.newBuilder().build())
            .build();

    private Contract() {}

    /**
     * Lets a message pass that keeps the rules.
     *
     * @throws DoorException INVALID, or TOO_LARGE when every broken rule is about size; it names each field with its
     *     value and what was expected, at most 16
     */
    public static void check(Message message) {
        DurationRange.check(message);
        ValidationResult result;
        try {
            result = VALIDATOR.validate(message);
        } catch (ValidationException e) {
            throw new IllegalStateException(
                    "the rules of %s cannot be used"
                            .formatted(message.getDescriptorForType().getFullName()),
                    e);
        }
        if (result.isSuccess()) {
            return;
        }
        List<BadRequest.FieldViolation> violations = new ArrayList<>();
        Map<String, String> metadata = new HashMap<>();
        List<String> words = new ArrayList<>();
        boolean large = true;
        for (Violation violation : result.getViolations()) {
            if (violations.size() == MOST_VIOLATIONS) {
                break;
            }
            build.buf.validate.Violation said = violation.toProto();
            boolean tooLarge = TOO_LARGE_RULES.contains(said.getRuleId());
            large &= tooLarge;
            String field = path(said);
            String value = value(violation, said);
            String expected = expected(said.getMessage());
            String description = "%s (expected: %s)".formatted(value, expected);
            violations.add(BadRequest.FieldViolation.newBuilder()
                    .setField(field)
                    .setDescription(description)
                    .setReason((tooLarge ? Reason.TOO_LARGE : Reason.INVALID).name())
                    .build());
            words.add(field.isEmpty() ? description : field + ": " + description);
            metadata.putIfAbsent("field", field);
            metadata.putIfAbsent("value", value);
            metadata.putIfAbsent("expected", expected);
        }
        throw new DoorException(
                large ? Reason.TOO_LARGE : Reason.INVALID, String.join("; ", words), metadata, violations, null);
    }

    private static String path(build.buf.validate.Violation said) {
        StringBuilder path = new StringBuilder();
        for (FieldPathElement element : said.getField().getElementsList()) {
            if (path.length() > 0) {
                path.append('.');
            }
            path.append(element.getFieldName());
            switch (element.getSubscriptCase()) {
                case INDEX -> path.append('[').append(element.getIndex()).append(']');
                case STRING_KEY ->
                    path.append("[\"")
                            .append(Failures.shortened(element.getStringKey()))
                            .append("\"]");
                default -> {}
            }
        }
        return path.toString();
    }

    private static String value(Violation violation, build.buf.validate.Violation said) {
        if (said.getRuleId().equals("required")) {
            return "absent";
        }
        Violation.FieldValue field = violation.getFieldValue();
        Object value = field == null ? null : field.getValue();
        if (value instanceof Duration duration) {
            // As ProtoJSON has it, but of any size.
            return BigDecimal.valueOf(duration.getSeconds())
                            .add(BigDecimal.valueOf(duration.getNano(), 9))
                            .stripTrailingZeros()
                            .toPlainString()
                    + 's';
        }
        if (value == null || value instanceof Message) {
            return "none";
        }
        if (value instanceof String text) {
            return '"' + Failures.shortened(text) + '"';
        }
        if (value instanceof List<?> list) {
            return list.size() + " items";
        }
        return value instanceof Map<?, ?> map ? map.size() + " pairs" : Failures.shortened(value.toString());
    }

    private static String expected(String message) {
        if (message.startsWith(UNLIKE)) {
            // `^pattern$`: the whole value is held against it.
            return message.substring(UNLIKE.length()).replaceAll("^`\\^?|\\$?`$", "");
        }
        for (String lead : LEADS) {
            if (message.startsWith(lead)) {
                return message.substring(lead.length());
            }
        }
        return message;
    }
}
