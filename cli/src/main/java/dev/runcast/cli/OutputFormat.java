package dev.runcast.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;

/** How a command prints what it found. */
public enum OutputFormat {
    /** For a person. */
    TEXT,
    /** ProtoJSON, as the HTTP door gives it. */
    JSON;

    private static final JsonFormat.Printer ONE_LINE = JsonFormat.printer().omittingInsignificantWhitespace();
    private static final JsonFormat.Printer INDENTED = JsonFormat.printer();

    /** One message as ProtoJSON on one line, for lists that other programs read line by line. */
    static String line(MessageOrBuilder message) {
        return print(ONE_LINE, message);
    }

    /** One message as indented ProtoJSON. */
    static String indented(MessageOrBuilder message) {
        return print(INDENTED, message);
    }

    private static String print(JsonFormat.Printer printer, MessageOrBuilder message) {
        try {
            return printer.print(message);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the contract has no Any, so every message prints", e);
        }
    }
}
