package dev.runcast.api.read;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.Timestamp;
import com.google.protobuf.util.JsonFormat;
import com.google.protobuf.util.Timestamps;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What {@link JsonFormat} prints, character for character, for less: that formats each timestamp through
 * two general formatters and sorts the fields of each message anew, for every change that somebody watches. What is
 * seldom (durations, field masks) is left to it, and what the contract does not have (floating point) is refused.
 * Stateless.
 */
final class JsonWriter {
    private static final char[] HEX = "0123456789abcdef".toCharArray();
    private static final boolean[] ESCAPED = new boolean[128];

    static {
        Arrays.fill(ESCAPED, 0, ' ', true);
        "\"\\<>&='".chars().forEach(c -> ESCAPED[c] = true);
    }

    private static final Map<Descriptor, Field[]> FIELDS = new ConcurrentHashMap<>();

    private final JsonFormat.Printer rest;

    /** One field and what precedes its value. */
    private record Field(FieldDescriptor descriptor, String name) {}

    /** @param rest always prints fields without presence, and no whitespace */
    JsonWriter(JsonFormat.Printer rest) {
        this.rest = rest;
    }

    /** @throws InvalidProtocolBufferException when a value has no JSON, such as a time beyond the year 9999 */
    void message(StringBuilder out, MessageOrBuilder message) throws InvalidProtocolBufferException {
        Descriptor type = message.getDescriptorForType();
        if (message instanceof Timestamp time) {
            timestamp(out, time);
            return;
        }
        if (type.getFile().getPackage().equals("google.protobuf")) {
            out.append(rest.print(message));
            return;
        }
        out.append('{');
        boolean first = true;
        for (Field field : FIELDS.computeIfAbsent(type, JsonWriter::fields)) {
            FieldDescriptor descriptor = field.descriptor();
            if (descriptor.hasPresence() && !message.hasField(descriptor)) {
                continue;
            }
            if (!first) {
                out.append(',');
            }
            first = false;
            out.append(field.name());
            Object value = message.getField(descriptor);
            if (descriptor.isMapField()) {
                map(out, descriptor, (List<?>) value);
            } else if (descriptor.isRepeated()) {
                list(out, descriptor, (List<?>) value);
            } else {
                value(out, descriptor, value);
            }
        }
        out.append('}');
    }

    private static Field[] fields(Descriptor type) {
        return type.getFields().stream()
                .sorted(Comparator.comparingInt(FieldDescriptor::getNumber))
                .map(field -> new Field(field, '"' + field.getJsonName() + "\":"))
                .toArray(Field[]::new);
    }

    private void list(StringBuilder out, FieldDescriptor field, List<?> values) throws InvalidProtocolBufferException {
        out.append('[');
        for (int i = 0; i < values.size(); i++) {
            if (i > 0) {
                out.append(',');
            }
            value(out, field, values.get(i));
        }
        out.append(']');
    }

    private void map(StringBuilder out, FieldDescriptor map, List<?> entries) throws InvalidProtocolBufferException {
        FieldDescriptor key = map.getMessageType().findFieldByNumber(1);
        FieldDescriptor value = map.getMessageType().findFieldByNumber(2);
        out.append('{');
        for (int i = 0; i < entries.size(); i++) {
            Message entry = (Message) entries.get(i);
            if (i > 0) {
                out.append(',');
            }
            string(out, String.valueOf(entry.getField(key)));
            out.append(':');
            value(out, value, entry.getField(value));
        }
        out.append('}');
    }

    private void value(StringBuilder out, FieldDescriptor field, Object value) throws InvalidProtocolBufferException {
        switch (field.getType()) {
            case MESSAGE, GROUP -> message(out, (Message) value);
            case STRING -> string(out, (String) value);
            case BYTES ->
                out.append('"')
                        .append(Base64.getEncoder().encodeToString(((ByteString) value).toByteArray()))
                        .append('"');
            case ENUM -> enumValue(out, (EnumValueDescriptor) value);
            case INT64, SINT64, SFIXED64 -> out.append('"').append((long) value).append('"');
            case UINT64, FIXED64 ->
                out.append('"').append(Long.toUnsignedString((long) value)).append('"');
            case UINT32, FIXED32 -> out.append(Integer.toUnsignedString((int) value));
            case FLOAT, DOUBLE -> throw new IllegalStateException(field.getFullName() + ": floating point");
            default -> out.append(value);
        }
    }

    private static void enumValue(StringBuilder out, EnumValueDescriptor value) {
        if (value.getIndex() == -1) {
            out.append(value.getNumber());
        } else {
            out.append('"').append(value.getName()).append('"');
        }
    }

    private static void timestamp(StringBuilder out, Timestamp time) throws InvalidProtocolBufferException {
        if (!Timestamps.isValid(time)) {
            throw new InvalidProtocolBufferException(
                    "no timestamp: " + time.getSeconds() + " s " + time.getNanos() + " ns");
        }
        out.append('"')
                .append(Instant.ofEpochSecond(time.getSeconds(), time.getNanos()))
                .append('"');
    }

    /** As RFC 8259 has it; what could end a script or a line in a page that quotes it is escaped too. */
    private static void string(StringBuilder out, String text) {
        out.append('"');
        int from = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c >= 128 ? c != '\u2028' && c != '\u2029' : !ESCAPED[c]) {
                continue;
            }
            out.append(text, from, i);
            from = i + 1;
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                default ->
                    out.append("\\u")
                            .append(HEX[c >> 12])
                            .append(HEX[c >> 8 & 15])
                            .append(HEX[c >> 4 & 15])
                            .append(HEX[c & 15]);
            }
        }
        out.append(text, from, text.length()).append('"');
    }
}
