package dev.runcast.api.read;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import java.util.List;
import java.util.Map;

/**
 * ProtoJSON as this door writes it: camelCase names, 64-bit numbers as strings, enum values by name, and fields that
 * have no presence also when they are 0, empty or not given, so that a reader finds each where the contract says it is.
 */
public final class Json {
    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    private static final JsonWriter WRITER = new JsonWriter(PRINTER);

    private static final JsonFormat.Parser PARSER = JsonFormat.parser();

    private Json() {}

    /**
     * Reads a message; names may be written in camelCase or snake_case.
     *
     * @throws InvalidProtocolBufferException when it is no JSON of this message; its text says where
     */
    public static void read(String json, Message.Builder into) throws InvalidProtocolBufferException {
        PARSER.merge(json, into);
        requireWholeCharacters(into);
    }

    /** JSON can name half a character, which UTF-8 cannot: it would become a question mark on its way to the log. */
    private static void requireWholeCharacters(MessageOrBuilder message) throws InvalidProtocolBufferException {
        for (Map.Entry<FieldDescriptor, Object> field : message.getAllFields().entrySet()) {
            List<?> values = field.getValue() instanceof List<?> many ? many : List.of(field.getValue());
            for (Object value : values) {
                if (value instanceof MessageOrBuilder inner) {
                    requireWholeCharacters(inner);
                } else if (value instanceof String text && hasHalfACharacter(text)) {
                    throw new InvalidProtocolBufferException(
                            field.getKey().getName() + " has half a character (a lone surrogate)");
                }
            }
        }
    }

    private static boolean hasHalfACharacter(String text) {
        return text.codePoints().anyMatch(c -> Character.getType(c) == Character.SURROGATE);
    }

    /** The message on one line. */
    public static String line(MessageOrBuilder message) {
        try {
            StringBuilder out = new StringBuilder(512);
            WRITER.message(out, message);
            return out.toString();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("cannot be JSON: " + e.getMessage(), e);
        }
    }
}
