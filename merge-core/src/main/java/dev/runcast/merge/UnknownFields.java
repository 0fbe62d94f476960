package dev.runcast.merge;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Counts what a message holds that this build does not know. Such fields pass through, for a newer reader; but a few
 * bytes of them become an object each when they are parsed, so their number is bounded as well as their bytes.
 */
final class UnknownFields {
    private UnknownFields() {}

    /** Null when the message has no more of them than the rules allow, or is so small that it does not matter. */
    static @Nullable Refusal check(Rules rules, String what, Message message) {
        if (rules.unknownFields() == Integer.MAX_VALUE || message.getSerializedSize() <= Limits.SMALL_BYTES) {
            return null;
        }
        int count = count(message);
        return count <= rules.unknownFields()
                ? null
                : Refusal.tooMany("unknown fields of the " + what, count, rules.unknownFields());
    }

    private static int count(Message message) {
        int count = count(message.getUnknownFields());
        for (var field : message.getAllFields().entrySet()) {
            if (field.getKey().getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
                List<?> values = field.getValue() instanceof List<?> repeated ? repeated : List.of(field.getValue());
                for (Object value : values) {
                    count += count((Message) value);
                }
            }
        }
        return count;
    }

    private static int count(UnknownFieldSet fields) {
        int count = 0;
        for (UnknownFieldSet.Field field : fields.asMap().values()) {
            count += field.getVarintList().size()
                    + field.getFixed32List().size()
                    + field.getFixed64List().size()
                    + field.getLengthDelimitedList().size()
                    + field.getGroupList().size();
            for (UnknownFieldSet group : field.getGroupList()) {
                count += count(group);
            }
        }
        return count;
    }
}
