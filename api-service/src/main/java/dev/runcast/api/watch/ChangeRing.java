package dev.runcast.api.watch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The newest changes of an execution, consecutive, bounded in number and bytes; the newest one stays however large it
 * is. Not thread-safe.
 */
final class ChangeRing {
    private final @Nullable Frame[] frames;
    private final long maxBytes;
    private long base;
    private long head;
    private long bytes;

    ChangeRing(int capacity, long maxBytes) {
        this.frames = new Frame[capacity];
        this.maxBytes = maxBytes;
    }

    /** Begins anew, empty, after this version. */
    void reset(long version) {
        Arrays.fill(frames, null);
        base = version;
        head = version;
        bytes = 0;
    }

    /** The version before the oldest change that is here. */
    long base() {
        return base;
    }

    /** The newest version. */
    long head() {
        return head;
    }

    /** Takes the change of version {@code head() + 1}; the oldest ones leave for it. */
    void add(Frame change) {
        while (head > base && (head - base == frames.length || bytes + size(change) > maxBytes)) {
            removeOldest();
        }
        head++;
        frames[index(head)] = change;
        bytes += size(change);
    }

    /** Lets go of the changes up to a version. */
    void removeThrough(long version) {
        while (base < Math.min(version, head)) {
            removeOldest();
        }
    }

    private void removeOldest() {
        bytes -= size(get(base + 1));
        base++;
        frames[index(base)] = null;
    }

    /** The change of a version that is here. */
    Frame get(long version) {
        Frame frame = version > base && version <= head ? frames[index(version)] : null;
        if (frame == null) {
            throw new IllegalArgumentException("version: %d (expected: %d to %d)".formatted(version, base + 1, head));
        }
        return frame;
    }

    /** The changes after a version that is not before {@link #base()}. */
    List<Frame> after(long version) {
        List<Frame> after = new ArrayList<>((int) (head - version));
        for (long next = version + 1; next <= head; next++) {
            after.add(get(next));
        }
        return after;
    }

    /**
     * Whether whoever stands at this version has fallen more than half a ring behind, in number or bytes: then it is
     * given what it missed in one, while that is still here.
     */
    boolean isFarBehind(long version) {
        long behind = head - version;
        if (behind < 2) {
            return false;
        }
        if (behind > frames.length / 2) {
            return true;
        }
        if (bytes <= maxBytes / 2) {
            return false;
        }
        long missed = 0;
        for (long next = version + 1; next <= head && missed <= maxBytes / 2; next++) {
            missed += size(get(next));
        }
        return missed > maxBytes / 2;
    }

    private int index(long version) {
        return (int) (version % frames.length);
    }

    private static long size(Frame frame) {
        return frame.message().getSerializedSize();
    }
}
