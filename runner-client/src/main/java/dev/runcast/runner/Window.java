package dev.runcast.runner;

import java.util.ArrayDeque;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The updates of one stream that are not acked, by sequence. First those in memory: a ring, so that going back to a
 * sequence costs nothing; what is sent is there. Behind them the tail, which is not. Not thread-safe.
 */
final class Window {
    private static final int LEAST_CAPACITY = 16;

    private @Nullable Sequenced[] ring = new Sequenced[LEAST_CAPACITY];
    private final ArrayDeque<Run> tail = new ArrayDeque<>();
    private long first = 1;
    private long loaded = 1;
    private long next = 1;

    /** The oldest sequence that is not acked; {@link #next()} when all are. */
    long first() {
        return first;
    }

    /** The first sequence that is not in memory; {@link #next()} when all are. */
    long loaded() {
        return loaded;
    }

    /** The sequence that the next update gets. */
    long next() {
        return next;
    }

    /** How many are not acked, in memory or not. */
    long size() {
        return next - first;
    }

    boolean hasTail() {
        return next > loaded;
    }

    /** Adds an update in memory; there must be no tail. */
    void add(Sequenced update) {
        load(update);
        next = loaded;
    }

    /** Adds a run behind everything. Whether it takes a place of its own, and not that of the one before. */
    boolean addTail(Run run) {
        next = run.last() + 1;
        Run joined = tail.isEmpty() ? null : tail.getLast().join(run);
        if (joined != null) {
            tail.removeLast();
        }
        tail.add(joined == null ? run : joined);
        return joined == null;
    }

    /** Takes out the first run of the tail, to be {@link #load}ed. */
    Run pollTail() {
        return tail.remove();
    }

    /** The runs of the tail, which may be replaced by others with the same sequences through {@link #replaceTail}. */
    Iterable<Run> tail() {
        return tail;
    }

    void replaceTail(Iterable<Run> runs) {
        tail.clear();
        runs.forEach(tail::add);
    }

    /** Brings the first update of the tail into memory. */
    void load(Sequenced update) {
        if (loaded - first == ring.length) {
            resize(ring.length * 2);
        }
        ring[index(loaded++)] = update;
    }

    /** Begins where another process left off: nothing is in memory. */
    void restore(long oldest, Iterable<Run> runs, long nextSequence) {
        first = oldest;
        loaded = oldest;
        next = nextSequence;
        replaceTail(runs);
    }

    /** Forgets the tail: its sequences are taken. */
    void dropTail() {
        tail.clear();
        loaded = next;
        first = next;
    }

    /** The ordinal of the oldest that is not acked; there must be one. */
    long firstOrdinal() {
        return first < loaded
                ? get(first).ordinal
                : Objects.requireNonNull(tail.peek()).ordinal();
    }

    /** An update in memory. */
    Sequenced get(long sequence) {
        return Objects.requireNonNull(ring[index(sequence)]);
    }

    void set(long sequence, Sequenced update) {
        ring[index(sequence)] = update;
    }

    /** Takes out the oldest, which must be in memory. */
    Sequenced removeFirst() {
        int index = index(first++);
        Sequenced update = Objects.requireNonNull(ring[index]);
        ring[index] = null;
        if (ring.length > LEAST_CAPACITY && loaded - first < ring.length / 8) {
            resize(ring.length / 4);
        }
        return update;
    }

    private int index(long sequence) {
        return (int) (sequence & (ring.length - 1));
    }

    private void resize(int capacity) {
        @Nullable Sequenced[] old = ring;
        @Nullable Sequenced[] resized = new Sequenced[Math.max(capacity, LEAST_CAPACITY)];
        for (long sequence = first; sequence < loaded; sequence++) {
            resized[(int) (sequence & (resized.length - 1))] = old[(int) (sequence & (old.length - 1))];
        }
        ring = resized;
    }
}
