package dev.runcast.sink;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.TextFormat;
import dev.runcast.merge.Canonical;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Finds where two messages of one kind first differ in canonical form, in the order of their fields' numbers. */
final class FirstDifference {
    private static final int SHOWN = 120;

    private FirstDifference() {}

    /**
     * One difference.
     *
     * @param path such as {@code changes[17].entries[0].message.role}
     * @param log what the log makes of it, shortened; "absent" when it has nothing there
     * @param store what is stored, likewise
     */
    record Difference(String path, String log, String store) {
        @Override
        public String toString() {
            return "%s: %s (expected: %s)".formatted(path, store, log);
        }
    }

    /** The first difference between two messages; null when their canonical forms are equal. */
    static @Nullable Difference between(String path, Message log, Message store) {
        // Equal messages are the rule, and quicker to see than to write down.
        if (log.equals(store)) {
            return null;
        }
        String expected = Canonical.json(log);
        String found = Canonical.json(store);
        return expected.equals(found) ? null : within(path, log, store, expected, found);
    }

    private static Difference within(String path, Message log, Message store, String expected, String found) {
        TreeSet<FieldDescriptor> fields = new TreeSet<>(log.getAllFields().keySet());
        fields.addAll(store.getAllFields().keySet());
        for (FieldDescriptor field : fields) {
            Difference difference = ofField(path + '.' + field.getName(), field, log, store);
            if (difference != null) {
                return difference;
            }
        }
        return new Difference(path, shortened(expected), shortened(found));
    }

    private static @Nullable Difference ofField(String path, FieldDescriptor field, Message log, Message store) {
        if (field.isRepeated() && !field.isMapField()) {
            return ofList(path, field, (List<?>) log.getField(field), (List<?>) store.getField(field));
        }
        if (field.isMapField()) {
            return ofMap(path, field, log, store);
        }
        boolean inLog = !field.hasPresence() || log.hasField(field);
        boolean inStore = !field.hasPresence() || store.hasField(field);
        return inLog && inStore
                ? ofValue(path, log.getField(field), store.getField(field))
                : inLog == inStore
                        ? null
                        : new Difference(
                                path,
                                inLog ? shown(log.getField(field)) : "absent",
                                inStore ? shown(store.getField(field)) : "absent");
    }

    private static @Nullable Difference ofMap(String path, FieldDescriptor field, Message log, Message store) {
        String expected = Canonical.json(only(log, field));
        String found = Canonical.json(only(store, field));
        return expected.equals(found) ? null : new Difference(path, shortened(expected), shortened(found));
    }

    private static Message only(Message message, FieldDescriptor field) {
        return message.newBuilderForType()
                .setField(field, message.getField(field))
                .build();
    }

    private static @Nullable Difference ofList(String path, FieldDescriptor field, List<?> log, List<?> store) {
        for (int i = 0; i < Math.max(log.size(), store.size()); i++) {
            String at = path + '[' + i + ']';
            if (i >= log.size() || i >= store.size()) {
                return new Difference(
                        at,
                        i < log.size() ? shown(log.get(i)) : "absent",
                        i < store.size() ? shown(store.get(i)) : "absent");
            }
            Difference difference = ofValue(at, log.get(i), store.get(i));
            if (difference != null) {
                return difference;
            }
        }
        return null;
    }

    private static @Nullable Difference ofValue(String path, Object log, Object store) {
        if (log instanceof Message inLog && store instanceof Message inStore) {
            return between(path, inLog, inStore);
        }
        return log.equals(store) ? null : aroundTheFirstByte(path, shown(log), shown(store));
    }

    /** Of long texts what differs, and a little before it. */
    private static Difference aroundTheFirstByte(String path, String log, String store) {
        int same = 0;
        while (same < Math.min(log.length(), store.length()) && log.charAt(same) == store.charAt(same)) {
            same++;
        }
        int from = Math.max(0, same - SHOWN / 3);
        if (from == 0 || Math.max(log.length(), store.length()) <= SHOWN) {
            return new Difference(path, shortened(log), shortened(store));
        }
        return new Difference(
                path + " at character " + same,
                '…' + shortened(log.substring(from)),
                '…' + shortened(store.substring(from)));
    }

    private static String shown(Object value) {
        if (value instanceof Message message) {
            return shortened(Canonical.json(message));
        }
        return value instanceof String text
                ? '"' + TextFormat.escapeDoubleQuotesAndBackslashes(text) + '"'
                : value.toString();
    }

    private static String shortened(String text) {
        String line = text.replace("\n", "\\n");
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + '…';
    }
}
