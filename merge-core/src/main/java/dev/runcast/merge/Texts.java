package dev.runcast.merge;

import com.google.protobuf.ByteString;
import dev.runcast.state.v1.TextMarks;
import dev.runcast.v1.Entry;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TextState;
import java.util.ArrayList;
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
        final List<Long> offsets = new ArrayList<>();
        final List<Long> hashes = new ArrayList<>();
        /** Started again by this update, which has not put anything there yet. */
        boolean fresh;

        Text(TextField field) {
            this.field = field;
        }

        void restart() {
            generation++;
            length = 0;
            hash = TextHash.EMPTY;
            offsets.clear();
            hashes.clear();
        }

        /** The hash of the text up to a place; -1 when the place is not marked. */
        long hashUpTo(long offset) {
            if (offset == 0) {
                return TextHash.EMPTY;
            }
            if (offset == length) {
                return hash;
            }
            int mark = offsets.indexOf(offset);
            return mark < 0 ? -1 : hashes.get(mark);
        }

        void cut(long offset, long hashUpTo) {
            while (!offsets.isEmpty() && offsets.get(offsets.size() - 1) >= offset) {
                offsets.remove(offsets.size() - 1);
                hashes.remove(hashes.size() - 1);
            }
            length = offset;
            hash = hashUpTo;
        }

        void append(ByteString bytes) {
            if (bytes.isEmpty()) {
                return;
            }
            if (length > 0) {
                if (offsets.size() == Limits.TEXT_MARKS) {
                    offsets.remove(0);
                    hashes.remove(0);
                }
                offsets.add(length);
                hashes.add(hash);
            }
            hash = TextHash.concat(hash, TextHash.of(bytes), bytes.size());
            length += bytes.size();
        }
    }

    private final String entryId;
    private final List<Text> texts = new ArrayList<>(2);
    private final List<TextChange> changes;

    /** @param changes where this adds how texts change */
    Texts(Entry entry, List<TextMarks> marks, List<TextChange> changes) {
        this.entryId = entry.getEntryId();
        this.changes = changes;
        for (TextState state : entry.getTextsList()) {
            Text text = new Text(state.getField());
            text.generation = state.getGeneration();
            text.length = state.getLengthBytes();
            text.hash = state.getHash();
            texts.add(text);
        }
        for (TextMarks of : marks) {
            Text text = text(of.getField());
            text.offsets.addAll(of.getOffsetsList());
            text.hashes.addAll(of.getHashesList());
        }
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
        texts.sort((a, b) -> Integer.compare(a.field.getNumber(), b.field.getNumber()));
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
            if (!text.offsets.isEmpty()) {
                marks.add(TextMarks.newBuilder()
                        .setField(text.field)
                        .addAllOffsets(text.offsets)
                        .addAllHashes(text.hashes)
                        .build());
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
                ? "0, or one of %s, or %d".formatted(text.offsets, text.length)
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
