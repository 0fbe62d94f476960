package dev.runcast.ingest;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ExecutionSignals;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The newest level of every execution that is live or has ended within a day, and which streams want to hear
 * of which. Thread-safe.
 */
final class SignalBoard {
    /*
     * Everything a service holds for all executions must be small: a level is kept as a record of some 100
     * bytes, and leaves with the tombstone that the merge writes a day after the end.
     */
    private final Map<ExecutionKey, Level> levels = new ConcurrentHashMap<>();
    private final Map<ExecutionKey, Set<Listener>> listeners = new ConcurrentHashMap<>();

    /** Who wants to hear that a level has changed. */
    interface Listener {
        /** Is quick, does not throw, and reads the level from the board when it has use for it. */
        void levelChanged(ExecutionKey execution);
    }

    /** The level of an execution; null when it is not known. */
    @Nullable
    Level level(ExecutionKey execution) {
        return levels.get(execution);
    }

    void put(ExecutionKey execution, ExecutionSignals signals) {
        Level level = Level.of(signals);
        // An aborted transaction is done again, so an uncommitted reader may see the same levels once more.
        Level held = levels.merge(execution, level, (old, now) -> now.version() >= old.version() ? now : old);
        if (held.equals(level)) {
            tell(execution);
        }
    }

    void remove(ExecutionKey execution) {
        levels.remove(execution);
    }

    void listen(ExecutionKey execution, Listener listener) {
        listeners.compute(execution, (key, set) -> {
            Set<Listener> all = set == null ? ConcurrentHashMap.newKeySet(1) : set;
            all.add(listener);
            return all;
        });
    }

    void forget(ExecutionKey execution, Listener listener) {
        listeners.computeIfPresent(execution, (key, set) -> {
            set.remove(listener);
            return set.isEmpty() ? null : set;
        });
    }

    int size() {
        return levels.size();
    }

    private void tell(ExecutionKey execution) {
        Set<Listener> interested = listeners.get(execution);
        if (interested != null) {
            interested.forEach(listener -> listener.levelChanged(execution));
        }
    }
}
