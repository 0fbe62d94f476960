package dev.runcast.store.mongo;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A true statement about a text: right after a change, its bytes from an offset on were these. Pieces may overlap, since
 * the same changes may be written twice, folded in other ways: that makes more statements, none of them wrong.
 *
 * @param first the first change it covers, when several that wrote on are said in one
 * @param version the last change it covers
 * @param index which of that change's statements about this text, from 0
 * @param offset from where on, in bytes of UTF-8
 * @param bytes what was there, to the text's end
 */
record Piece(long first, long version, int index, long offset, ByteString bytes) {
    private static final Comparator<Piece> NEWEST_FIRST = Comparator.comparingLong(Piece::version)
            .thenComparingInt(Piece::index)
            .reversed();

    long end() {
        return offset + bytes.size();
    }

    /** Whether the text before a newer statement, as far as it goes, is this piece's. */
    boolean joins(Piece newer, int maxBytes) {
        return newer.offset >= offset
                && newer.offset <= end()
                && newer.end() - offset <= maxBytes
                && newer.version / Names.BUCKET == version / Names.BUCKET;
    }

    /** One statement that says what the two say. */
    Piece join(Piece newer) {
        ByteString kept = bytes.substring(0, (int) (newer.offset - offset));
        return new Piece(first, newer.version, newer.index, offset, kept.concat(newer.bytes));
    }

    /** How it is called in its document: by what it covers, so that one that covers less never takes its place. */
    String name() {
        return "v" + first + '-' + version + (index == 0 ? "" : "-" + index);
    }

    /** A piece as it is called. */
    static Piece named(String name, long offset, ByteString bytes) {
        String[] parts = name.substring(1).split("-", -1);
        return new Piece(
                Long.parseLong(parts[0]),
                Long.parseLong(parts[1]),
                parts.length > 2 ? Integer.parseInt(parts[2]) : 0,
                offset,
                bytes);
    }

    Piece with(ByteString other) {
        return new Piece(first, version, index, offset, other);
    }

    /**
     * The text that follows from statements of one generation: the newest one says how it ends; what lies before that
     * one's offset, the newest of those that begin there says, since nothing changed it later; and so on to the
     * beginning.
     *
     * @throws IllegalStateException when the statements leave a hole
     */
    static ByteString text(List<Piece> pieces, String what) {
        List<Piece> newestFirst = new ArrayList<>(pieces);
        newestFirst.sort(NEWEST_FIRST);
        ByteString text = ByteString.EMPTY;
        long begin = Long.MAX_VALUE;
        for (Piece piece : newestFirst) {
            if (piece.offset < begin) {
                if (begin != Long.MAX_VALUE && piece.end() < begin) {
                    break;
                }
                ByteString part =
                        begin == Long.MAX_VALUE ? piece.bytes : piece.bytes.substring(0, (int) (begin - piece.offset));
                text = part.concat(text);
                begin = piece.offset;
            }
        }
        if (begin != 0 && begin != Long.MAX_VALUE) {
            throw new IllegalStateException(
                    "%s: nothing is stored right before byte %d (expected: all from byte 0)".formatted(what, begin));
        }
        return text;
    }
}
