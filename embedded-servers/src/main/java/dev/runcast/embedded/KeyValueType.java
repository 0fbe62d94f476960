package dev.runcast.embedded;

import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.ValueComparator;
import java.nio.ByteBuffer;
import java.util.Comparator;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.ObjectDataType;

/**
 * The keys of an index, in the order of their values. Made for strings, as all keys here are; the server's own order of
 * other values takes some that differ for equal (nested lists).
 */
final class KeyValueType extends BasicDataType<KeyValue> {
    private static final Comparator<Object> VALUES = ValueComparator.ascWithoutListHandling();
    private static final int KEY = 96;
    /** One string, as all keys of an {@code _id} index here are; anything else is a Java object. */
    private static final byte STRING = 1;

    private static final byte OBJECT = 0;

    private final ObjectDataType objects = new ObjectDataType();

    @Override
    public int getMemory(KeyValue key) {
        int sum = KEY;
        for (Object value : key) {
            sum += value instanceof String text ? text.length() : KEY;
        }
        return sum;
    }

    @Override
    public int compare(KeyValue one, KeyValue other) {
        int shared = Math.min(one.size(), other.size());
        for (int i = 0; i < shared; i++) {
            int order = compareValues(one.get(i), other.get(i));
            if (order != 0) {
                return order;
            }
        }
        return Integer.compare(one.size(), other.size());
    }

    private static int compareValues(Object one, Object other) {
        return one instanceof String text && other instanceof String otherText
                ? text.compareTo(otherText)
                : VALUES.compare(one, other);
    }

    @Override
    public void write(WriteBuffer to, KeyValue key) {
        if (key.size() == 1 && key.get(0) instanceof String text) {
            to.put(STRING);
            objects.write(to, text);
        } else {
            to.put(OBJECT);
            objects.write(to, key);
        }
    }

    @Override
    public KeyValue read(ByteBuffer from) {
        byte kind = from.get();
        Object value = objects.read(from);
        return kind == STRING ? new KeyValue(value) : (KeyValue) value;
    }

    @Override
    public KeyValue[] createStorage(int size) {
        return new KeyValue[size];
    }
}
