package dev.runcast.runner;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The updates of one stream that are not acked, by sequence: a ring, so that going back to a sequence costs nothing. Not
 * thread-safe.
 */
final class Window {
    private static final int LEAST_CAPACITY = 16;

    private @Nullable Sequenced[] ring = new Sequenced[LEAST_CAPACITY];
    private long first = 1;
    private long next = 1;

    /** The oldest sequence that is not acked; {@link #next()} when all are. */
    long first() {
        return first;
    }

    /** The sequence that the next update gets. */
    long next() {
        return next;
    }

    int size() {
        return (int) (next - first);
    }

    void add(Sequenced update) {
        if (size() == ring.length) {
            resize(ring.length * 2);
        }
        ring[index(next++)] = update;
    }

    Sequenced get(long sequence) {
        return Objects.requireNonNull(ring[index(sequence)]);
    }

    void set(long sequence, Sequenced update) {
        ring[index(sequence)] = update;
    }

    Sequenced removeFirst() {
        int index = index(first++);
        Sequenced update = Objects.requireNonNull(ring[index]);
        ring[index] = null;
        if (ring.length > LEAST_CAPACITY && size() < ring.length / 8) {
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
        for (long sequence = first; sequence < next; sequence++) {
            resized[(int) (sequence & (resized.length - 1))] = old[(int) (sequence & (old.length - 1))];
        }
        ring = resized;
    }
}
