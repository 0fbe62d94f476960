package dev.runcast.merge;

import com.google.protobuf.ByteString;
import dev.runcast.state.v1.TextMarks;
import dev.runcast.v1.Entry;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TextState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The texts of one entry while an update works on them. A text is never kept: its length, its hash and a few marks
 * (where the last appends began, with the hash up to there) are enough to let it grow, to cut it, and to know a resend
 * when it comes.
 */
final class Texts {
    /** One text. Generation 0 means that it has not been written. */
    private static final class Text {
        final TextField field;
        int generation;
        long length;
        long hash = TextHash.EMPTY;
        /** Where the last appends began, ascending, and the hash of the text up to there; so many of each count. */
        final long[] offsets = new long[Limits.TEXT_MARKS];

        final long[] hashes = new long[Limits.TEXT_MARKS];
        int marks;
        /** Started again by this update, which has not put anything there yet. */
        boolean fresh;

        Text(TextField field) {
            this.field = field;
        }

        Text copy() {
            Text copy = new Text(field);
            copy.generation = generation;
            copy.length = length;
            copy.hash = hash;
            copy.marks = marks;
            System.arraycopy(offsets, 0, copy.offsets, 0, marks);
            System.arraycopy(hashes, 0, copy.hashes, 0, marks);
            return copy;
        }

        void restart() {
            generation++;
            length = 0;
            hash = TextHash.EMPTY;
            marks = 0;
        }

        /** The hash of the text up to a place; -1 when the place is not marked. */
        long hashUpTo(long offset) {
            if (offset == 0) {
                return TextHash.EMPTY;
            }
            if (offset == length) {
                return hash;
            }
            int mark = Arrays.binarySearch(offsets, 0, marks, offset);
            return mark < 0 ? -1 : hashes[mark];
        }

        void cut(long offset, long hashUpTo) {
            while (marks > 0 && offsets[marks - 1] >= offset) {
                marks--;
            }
            length = offset;
            hash = hashUpTo;
        }

        void append(ByteString bytes) {
            if (bytes.isEmpty()) {
                return;
            }
            if (length > 0) {
                if (marks == Limits.TEXT_MARKS) {
                    marks--;
                    System.arraycopy(offsets, 1, offsets, 0, marks);
                    System.arraycopy(hashes, 1, hashes, 0, marks);
                }
                offsets[marks] = length;
                hashes[marks] = hash;
                marks++;
            }
            hash = TextHash.goOn(hash, bytes);
            length += bytes.size();
        }
    }

    private final String entryId;
    private final List<Text> texts = new ArrayList<>(2);
    private final List<TextChange> changes;

    private Texts(String entryId, List<TextChange> changes) {
        this.entryId = entryId;
        this.changes = changes;
    }

    /** Those of an entry that has none. */
    static Texts none(String entryId, List<TextChange> changes) {
        return new Texts(entryId, changes);
    }

    /** @param changes where this adds how texts change */
    Texts(Entry entry, List<TextMarks> marks, List<TextChange> changes) {
        this(entry.getEntryId(), changes);
        for (TextState state : entry.getTextsList()) {
            Text text = new Text(state.getField());
            text.generation = state.getGeneration();
            text.length = state.getLengthBytes();
            text.hash = state.getHash();
            texts.add(text);
        }
        for (TextMarks of : marks) {
            Text text = text(of.getField());
            text.marks = Math.min(Limits.TEXT_MARKS, of.getOffsetsCount());
            for (int i = 0; i < text.marks; i++) {
                text.offsets[i] = of.getOffsets(i);
                text.hashes[i] = of.getHashes(i);
            }
        }
    }

    /** The same, to work on. */
    Texts copy() {
        Texts copy = new Texts(entryId, changes);
        for (Text text : texts) {
            copy.texts.add(text.copy());
        }
        return copy;
    }

    /** Puts bytes where the writer says they belong; see {@link #isRepeated} for what stands there already. */
    @Nullable
    Refusal append(TextField field, long offset, ByteString bytes, boolean truncate) {
        Text text = text(field);
        long hashUpTo = offset > text.length ? -1 : text.hashUpTo(offset);
        if (hashUpTo < 0) {
            return misplaced(text, offset, truncate);
        }
        if (offset < text.length && !truncate) {
            return misplaced(text, offset, false);
        }
        if (offset + bytes.size() > Limits.TEXT_BYTES) {
            return Refusal.tooLarge("text", offset + bytes.size(), Limits.TEXT_BYTES);
        }
        if (text.generation == 0) {
            text.generation = 1;
        }
        if (offset < text.length) {
            text.cut(offset, hashUpTo);
        }
        text.append(bytes);
        changed(text, offset, bytes);
        return null;
    }

    /** Whether an append would change nothing: what it says stands there already. */
    boolean isRepeated(TextField field, long offset, ByteString bytes, boolean truncate) {
        Text text = text(field);
        if (truncate || offset >= text.length) {
            return false;
        }
        long hashUpTo = text.hashUpTo(offset);
        return hashUpTo >= 0 && repeats(text, offset, hashUpTo, bytes);
    }

    /** Makes a text say this and nothing else. */
    @Nullable
    Refusal replace(TextField field, ByteString bytes) {
        if (bytes.size() > Limits.TEXT_BYTES) {
            return Refusal.tooLarge("text", bytes.size(), Limits.TEXT_BYTES);
        }
        Text text = text(field);
        boolean same = text.generation > 0 && text.length == bytes.size() && text.hash == TextHash.of(bytes);
        if (text.fresh || !same) {
            if (!text.fresh) {
                text.restart();
            }
            text.fresh = false;
            text.append(bytes);
            changed(text, 0, bytes);
        }
        return null;
    }

    /** Empties a text that has been written; one that has not stays so. */
    void clear(TextField field) {
        Text text = text(field);
        if (text.generation > 0 && text.length > 0) {
            text.restart();
            changed(text, 0, ByteString.EMPTY);
        }
    }

    /** Starts all texts again: another attempt writes them with other words. */
    void restart() {
        for (Text text : texts) {
            text.restart();
            text.fresh = true;
        }
    }

    /** Writes everything into the entry's record, and says what became of texts that were started again only. */
    void store(Entry.Builder record) {
        if (texts.size() > 1) {
            texts.sort((a, b) -> Integer.compare(a.field.getNumber(), b.field.getNumber()));
        }
        record.clearTexts();
        for (Text text : texts) {
            if (text.generation == 0) {
                continue;
            }
            if (text.fresh) {
                text.fresh = false;
                changed(text, 0, ByteString.EMPTY);
            }
            record.addTexts(TextState.newBuilder()
                    .setField(text.field)
                    .setGeneration(text.generation)
                    .setLengthBytes(text.length)
                    .setHash(text.hash));
        }
    }

    /** The marks to keep for the next update. */
    List<TextMarks> marks() {
        List<TextMarks> marks = new ArrayList<>(texts.size());
        for (Text text : texts) {
            if (text.marks > 0) {
                TextMarks.Builder of = TextMarks.newBuilder().setField(text.field);
                for (int i = 0; i < text.marks; i++) {
                    of.addOffsets(text.offsets[i]).addHashes(text.hashes[i]);
                }
                marks.add(of.build());
            }
        }
        return marks;
    }

    private static boolean repeats(Text text, long offset, long hashUpTo, ByteString bytes) {
        long end = offset + bytes.size();
        long hashUpToEnd = end > text.length ? -1 : text.hashUpTo(end);
        return hashUpToEnd >= 0 && TextHash.rest(hashUpToEnd, hashUpTo, bytes.size()) == TextHash.of(bytes);
    }

    private static Refusal misplaced(Text text, long offset, boolean truncate) {
        String expected = truncate && offset <= text.length
                ? "0, or one of %s, or %d"
                        .formatted(Arrays.toString(Arrays.copyOf(text.offsets, text.marks)), text.length)
                : Long.toString(text.length);
        return Refusal.of(
                RejectionReason.REJECTION_REASON_TEXT_OFFSET, "offset: %d (expected: %s)".formatted(offset, expected));
    }

    private void changed(Text text, long offset, ByteString bytes) {
        changes.add(TextChange.newBuilder()
                .setEntryId(entryId)
                .setField(text.field)
                .setGeneration(text.generation)
                .setOffset(offset)
                .setTextBytes(bytes)
                .build());
    }

    private Text text(TextField field) {
        for (Text text : texts) {
            if (text.field == field) {
                return text;
            }
        }
        Text text = new Text(field);
        texts.add(text);
        return text;
    }
}
