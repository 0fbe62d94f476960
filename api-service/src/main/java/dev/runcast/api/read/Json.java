package dev.runcast.api.read;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;

/**
 * ProtoJSON as this door writes it: camelCase names, 64-bit numbers as strings, enum values by name, and fields that
 * have no presence also when they are 0, empty or not given, so that a reader finds each where the contract says it is.
 */
public final class Json {
    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().alwaysPrintFieldsWithNoPresence().omittingInsignificantWhitespace();

    private static final JsonFormat.Parser PARSER = JsonFormat.parser();

    private Json() {}

    /**
     * Reads a message; names may be written in camelCase or snake_case.
     *
     * @throws InvalidProtocolBufferException when it is no JSON of this message; its text says where
     */
    public static void read(String json, Message.Builder into) throws InvalidProtocolBufferException {
        PARSER.merge(json, into);
    }

    /** The message on one line. */
    public static String line(MessageOrBuilder message) {
        try {
            return PRINTER.print(message);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the contract has no Any that could be unknown", e);
        }
    }
}
