package dev.runcast.runner;

import com.google.protobuf.ByteString;
import java.util.Arrays;

/**
 * Text that grows, as UTF-8, up to {@link Limits#APPEND} bytes. Kept as bytes because that is what memory is counted in,
 * what offsets count and what goes on the wire. Not thread-safe.
 */
final class Utf8Buffer {
    private static final int FIRST_CAPACITY = 128;

    private byte[] bytes = new byte[FIRST_CAPACITY];
    private int length;

    int length() {
        return length;
    }

    int capacity() {
        return bytes.length;
    }

    /** The capacity after so many more bytes at most; never less than the present one. */
    int capacityFor(int more) {
        int needed = length + more;
        return needed <= bytes.length ? bytes.length : Math.max(needed, Math.min(bytes.length * 2, Limits.APPEND));
    }

    /**
     * Appends characters from {@code from} on until the text ends or {@code room} bytes are taken, and returns the index
     * of the first character that was not appended. A character is appended whole or not at all.
     */
    int append(CharSequence text, int from, int room, Counters counters) {
        ensure((int) Math.min(room, 3L * (text.length() - from)));
        int end = length + room;
        int i = from;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c < 0x80) {
                if (length + 1 > end) {
                    return i;
                }
                put(c);
                i++;
            } else if (c < 0x800) {
                if (length + 2 > end) {
                    return i;
                }
                put(0xC0 | c >> 6);
                put(0x80 | c & 0x3F);
                i++;
            } else if (Utf8.isPair(text, i)) {
                if (length + 4 > end) {
                    return i;
                }
                int codePoint = Character.toCodePoint(c, text.charAt(i + 1));
                put(0xF0 | codePoint >> 18);
                put(0x80 | codePoint >> 12 & 0x3F);
                put(0x80 | codePoint >> 6 & 0x3F);
                put(0x80 | codePoint & 0x3F);
                i += 2;
            } else {
                if (length + 3 > end) {
                    return i;
                }
                if (Character.isSurrogate(c)) {
                    counters.replacedSurrogates.increment();
                    c = Utf8.REPLACEMENT;
                }
                put(0xE0 | c >> 12);
                put(0x80 | c >> 6 & 0x3F);
                put(0x80 | c & 0x3F);
                i++;
            }
        }
        return i;
    }

    /** Appends all of another buffer; the sum must not exceed {@link Limits#APPEND}. */
    void append(Utf8Buffer other) {
        ensure(other.length);
        System.arraycopy(other.bytes, 0, bytes, length, other.length);
        length += other.length;
    }

    ByteString toByteString() {
        return ByteString.copyFrom(bytes, 0, length);
    }

    private void put(int value) {
        if (length == bytes.length) {
            ensure(1);
        }
        bytes[length++] = (byte) value;
    }

    private void ensure(int more) {
        int capacity = capacityFor(more);
        if (capacity > bytes.length) {
            bytes = Arrays.copyOf(bytes, capacity);
        }
    }
}
