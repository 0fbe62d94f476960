package dev.runcast.runner;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Consecutive updates of one writer that are not in the window's memory: records of a spool's segment, what could not be
 * written there, or a hole where the spool lost them. Belongs to the sender's thread.
 *
 * @param first its first sequence
 * @param last its last
 * @param ordinal at most the ordinal of any of them
 * @param calls how many reported updates are in them
 * @param segment where they are; null for what is held, and for a hole
 * @param offset of the first record that has some of them
 * @param length of all records that do, in bytes
 * @param held the updates themselves, when the spool did not take them
 */
record Run(
        long first,
        long last,
        long ordinal,
        long calls,
        @Nullable SpoolSegment segment,
        long offset,
        int length,
        @Nullable List<Sequenced> held) {

    /** What one is reckoned to take of memory, in bytes, beside what it holds. */
    static final long ALLOWANCE = 96;

    /** Records further on in the file join a run up to so many bytes: as much is read back at once. */
    private static final int LONGEST = 128 * 1024;

    static Run hole(long first, long last) {
        return new Run(first, last, 0, last - first + 1, null, 0, 0, null);
    }

    long updates() {
        return last - first + 1;
    }

    /** The two as one; null when they do not lie next to each other, or are too much for one. */
    @Nullable
    Run join(Run next) {
        boolean adjacent = segment != null
                && next.segment == segment
                && next.offset == offset + length
                && next.first == last + 1
                && length + next.length <= LONGEST;
        return adjacent
                ? new Run(first, next.last, ordinal, calls + next.calls, segment, offset, length + next.length, null)
                : null;
    }

    /** The part of it before a sequence, and from one on; calls stay with the first part. */
    Run until(long sequence) {
        return new Run(first, sequence - 1, ordinal, calls, segment, offset, length, held);
    }

    Run from(long sequence) {
        return new Run(sequence, last, ordinal, last - sequence + 1, segment, offset, length, held);
    }
}
