package dev.runcast.merge;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.MapEntry;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import com.google.protobuf.UnknownFieldSet;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A form of messages in which equal ones are equal texts, on any machine and by any later build. Protobuf's own bytes
 * are not: the order of map entries and of unknown fields is left open. Fields come in order of their numbers, map
 * entries in order of their keys, absent fields not at all. It is JSON, though not ProtoJSON.
 */
public final class Canonical {
    private Canonical() {}

    /** The canonical form as text. */
    public static String json(Message message) {
        StringBuilder to = new StringBuilder();
        message(message, to);
        return to.toString();
    }

    /** The canonical form of several messages, one a line. */
    public static String json(Collection<? extends Message> messages) {
        StringBuilder to = new StringBuilder();
        for (Message message : messages) {
            message(message, to);
            to.append('\n');
        }
        return to.toString();
    }

    /** The canonical form as UTF-8. */
    public static byte[] bytes(Message message) {
        return json(message).getBytes(StandardCharsets.UTF_8);
    }

    private static void message(Message message, StringBuilder to) {
        to.append('{');
        String comma = "";
        for (Map.Entry<FieldDescriptor, Object> field : new TreeMap<>(message.getAllFields()).entrySet()) {
            to.append(comma).append('"').append(field.getKey().getName()).append("\":");
            comma = ",";
            if (field.getKey().isMapField()) {
                map(field.getKey(), (List<?>) field.getValue(), to);
            } else if (field.getKey().isRepeated()) {
                list(field.getKey(), (List<?>) field.getValue(), to);
            } else {
                value(field.getKey(), field.getValue(), to);
            }
        }
        for (Map.Entry<Integer, UnknownFieldSet.Field> field :
                message.getUnknownFields().asMap().entrySet()) {
            UnknownFieldSet one = UnknownFieldSet.newBuilder()
                    .addField(field.getKey(), field.getValue())
                    .build();
            to.append(comma).append('"').append(field.getKey()).append("\":");
            comma = ",";
            string(TextFormat.escapeBytes(one.toByteString()), to);
        }
        to.append('}');
    }

    private static void list(FieldDescriptor field, List<?> values, StringBuilder to) {
        to.append('[');
        for (int i = 0; i < values.size(); i++) {
            to.append(i == 0 ? "" : ",");
            value(field, values.get(i), to);
        }
        to.append(']');
    }

    private static void map(FieldDescriptor field, List<?> entries, StringBuilder to) {
        Map<String, Object> sorted = new TreeMap<>();
        for (Object entry : entries) {
            Message pair = (Message) entry;
            Object key = pair instanceof MapEntry<?, ?> map ? map.getKey() : pair.getField(key(field));
            sorted.put(
                    key.toString(),
                    pair instanceof MapEntry<?, ?> map ? map.getValue() : pair.getField(mapValue(field)));
        }
        to.append('{');
        String comma = "";
        for (Map.Entry<String, Object> entry : sorted.entrySet()) {
            to.append(comma);
            comma = ",";
            string(entry.getKey(), to);
            to.append(':');
            value(mapValue(field), entry.getValue(), to);
        }
        to.append('}');
    }

    private static FieldDescriptor key(FieldDescriptor map) {
        return map.getMessageType().findFieldByNumber(1);
    }

    private static FieldDescriptor mapValue(FieldDescriptor map) {
        return map.getMessageType().findFieldByNumber(2);
    }

    private static void value(FieldDescriptor field, Object value, StringBuilder to) {
        switch (field.getJavaType()) {
            case MESSAGE -> message((Message) value, to);
            case STRING, ENUM -> string(value.toString(), to);
            case BYTE_STRING -> string(TextFormat.escapeBytes((ByteString) value), to);
            case INT, LONG, BOOLEAN, FLOAT, DOUBLE -> to.append(value);
        }
    }

    private static void string(String value, StringBuilder to) {
        to.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                to.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f) {
                to.append("\\u00").append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            } else {
                to.append(c);
            }
        }
        to.append('"');
    }
}
