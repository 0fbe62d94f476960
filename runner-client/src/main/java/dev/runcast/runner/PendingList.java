package dev.runcast.runner;

import org.jspecify.annotations.Nullable;

/**
 * A doubly linked list through the items themselves, so that one is taken out of the middle at no cost. Keeps the sums
 * over its items. Not thread-safe.
 */
final class PendingList {
    private @Nullable Pending head;
    private @Nullable Pending tail;
    private int urgent;
    private long bytes;
    private long calls;

    @Nullable
    Pending head() {
        return head;
    }

    @Nullable
    Pending tail() {
        return tail;
    }

    /** How many items wait for no cadence. */
    int urgent() {
        return urgent;
    }

    /** The sum of the items' charges. */
    long bytes() {
        return bytes;
    }

    /** The sum of the reported updates in the items. */
    long calls() {
        return calls;
    }

    void addLast(Pending item) {
        insertAfter(tail, item);
    }

    /** Inserts behind a link of this list, or first when there is none given. */
    void insertAfter(@Nullable Pending link, Pending item) {
        Pending behind = link == null ? head : link.next;
        item.previous = link;
        item.next = behind;
        if (link == null) {
            head = item;
        } else {
            link.next = item;
        }
        if (behind == null) {
            tail = item;
        } else {
            behind.previous = item;
        }
        urgent += item.urgent() ? 1 : 0;
        bytes += item.charge;
        calls += item.calls;
    }

    void remove(Pending item) {
        Pending before = item.previous;
        Pending behind = item.next;
        if (before == null) {
            head = behind;
        } else {
            before.next = behind;
        }
        if (behind == null) {
            tail = before;
        } else {
            behind.previous = before;
        }
        item.previous = null;
        item.next = null;
        urgent -= item.urgent() ? 1 : 0;
        bytes -= item.charge;
        calls -= item.calls;
    }

    /** Adds to what an item of this list is charged and holds. */
    void grow(Pending item, long moreBytes, long moreCalls) {
        item.charge += moreBytes;
        item.calls += moreCalls;
        bytes += moreBytes;
        calls += moreCalls;
    }
}
