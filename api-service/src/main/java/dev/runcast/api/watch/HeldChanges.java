package dev.runcast.api.watch;

import dev.runcast.v1.Change;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Changes that came before what they follow, by version; bounded in number and bytes, and the newest ones stay. Not
 * thread-safe.
 */
final class HeldChanges {
    private final NavigableMap<Long, Change> changes = new TreeMap<>();
    private final int capacity;
    private final long maxBytes;
    private long bytes;

    HeldChanges(int capacity, long maxBytes) {
        this.capacity = capacity;
        this.maxBytes = maxBytes;
    }

    /** Keeps one, unless one of its version is here. */
    void add(Change change) {
        if (changes.putIfAbsent(change.getVersion(), change) != null) {
            return;
        }
        bytes += change.getSerializedSize();
        while (changes.size() > 1 && (changes.size() > capacity || bytes > maxBytes)) {
            removeFirst();
        }
    }

    /** The oldest; null when there is none. */
    @Nullable
    Change first() {
        return changes.isEmpty() ? null : changes.firstEntry().getValue();
    }

    /** Lets go of the oldest. */
    void removeFirst() {
        if (!changes.isEmpty()) {
            bytes -= changes.pollFirstEntry().getValue().getSerializedSize();
        }
    }

    void clear() {
        changes.clear();
        bytes = 0;
    }
}
