package dev.runcast.store;

import com.google.protobuf.ByteString;
import dev.runcast.v1.TextChange;
import java.util.ArrayList;
import java.util.List;

/** Cuts a whole text into pieces that fit into frames, never inside a character. */
public final class TextPieces {
    /** The most bytes of UTF-8 in a piece. */
    public static final int MAX_BYTES = 64 * 1024;

    private TextPieces() {}

    /**
     * The pieces of a text; none for an empty one.
     *
     * @param shape names entry, field and generation
     * @param utf8 the whole text
     */
    public static List<TextChange> cut(TextChange shape, byte[] utf8) {
        List<TextChange> pieces = new ArrayList<>(utf8.length / MAX_BYTES + 1);
        int start = 0;
        while (start < utf8.length) {
            int end = Math.min(utf8.length, start + MAX_BYTES);
            // A byte 10xxxxxx goes on with a character (RFC 3629).
            while (end < utf8.length && (utf8[end] & 0xC0) == 0x80) {
                end--;
            }
            pieces.add(shape.toBuilder()
                    .setOffset(start)
                    .setTextBytes(ByteString.copyFrom(utf8, start, end - start))
                    .build());
            start = end;
        }
        return pieces;
    }
}
