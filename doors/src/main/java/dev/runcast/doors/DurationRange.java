package dev.runcast.doors;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Refuses what is in a message's {@code google.protobuf.Duration} and is no duration, by the comments of duration.proto:
 * more than 10,000 years, or parts of a second that are a whole one or of another sign. The rules of the contract do not
 * cover it: what lies beyond their own arithmetic they cannot be held against. Thread-safe.
 */
final class DurationRange {
    private static final Map<Descriptor, Boolean> CONCERNED = new ConcurrentHashMap<>();

    private DurationRange() {}

    /** @throws DoorException INVALID, naming the first such field */
    static void check(Message message) {
        if (isConcerned(message.getDescriptorForType())) {
            check(message, "");
        }
    }

    private static void check(Message message, String path) {
        if (message instanceof Duration duration) {
            if (!Durations.isValid(duration)) {
                throw Failures.value(
                        Reason.INVALID,
                        path,
                        "seconds %d, nanos %d".formatted(duration.getSeconds(), duration.getNanos()),
                        "a google.protobuf.Duration");
            }
            return;
        }
        for (Map.Entry<FieldDescriptor, Object> present : message.getAllFields().entrySet()) {
            FieldDescriptor field = present.getKey();
            if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE || !isConcerned(field.getMessageType())) {
                continue;
            }
            String name = path.isEmpty() ? field.getName() : path + '.' + field.getName();
            if (present.getValue() instanceof List<?> list) {
                for (int i = 0; i < list.size(); i++) {
                    check((Message) list.get(i), name + '[' + i + ']');
                }
            } else {
                check((Message) present.getValue(), name);
            }
        }
    }

    /** Whether it is a duration or may have one inside. */
    private static boolean isConcerned(Descriptor type) {
        Boolean known = CONCERNED.get(type);
        return known == null ? CONCERNED.computeIfAbsent(type, asked -> leads(asked, new HashSet<>())) : known;
    }

    private static boolean leads(Descriptor type, Set<Descriptor> seen) {
        if (!seen.add(type)) {
            return false;
        }
        return type.equals(Duration.getDescriptor())
                || type.getFields().stream()
                        .anyMatch(field -> field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                                && leads(field.getMessageType(), seen));
    }
}
