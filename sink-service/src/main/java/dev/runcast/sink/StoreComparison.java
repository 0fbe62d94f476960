package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ExecutionStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Reads stored executions, several at a time, and waits for those that a sink has not brought to the log's version. */
final class StoreComparison {
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(200);
    private static final int VERSIONS_AT_ONCE = 500;

    private final ExecutionStore store;
    private final Map<ExecutionKey, Shadow.Of> shadow;
    private final Duration patience;
    private final AtomicLong done;

    /**
     * @param patience how long to wait, all in all
     * @param done counts the executions that have been read
     */
    StoreComparison(ExecutionStore store, Map<ExecutionKey, Shadow.Of> shadow, Duration patience, AtomicLong done) {
        this.store = store;
        this.shadow = shadow;
        this.patience = patience;
        this.done = done;
    }

    /** All of the shadow's executions as they are stored. */
    Map<ExecutionKey, StoredExecution> run() {
        Map<ExecutionKey, StoredExecution> read = new ConcurrentHashMap<>();
        // Twice as many as processors: half of the time is the store's.
        ExecutorService readers =
                Executors.newFixedThreadPool(2 * Runtime.getRuntime().availableProcessors());
        try {
            read(readers, shadow.keySet(), read);
            long deadline = System.nanoTime() + patience.toNanos();
            List<ExecutionKey> behind = behind(shadow.keySet(), read);
            while (!behind.isEmpty() && System.nanoTime() < deadline) {
                Pause.of(BETWEEN_LOOKS);
                read(readers, arrived(behind), read);
                behind = behind(behind, read);
            }
        } finally {
            readers.shutdownNow();
        }
        return read;
    }

    private void read(ExecutorService readers, Collection<ExecutionKey> keys, Map<ExecutionKey, StoredExecution> to) {
        List<Future<?>> running = new ArrayList<>();
        for (ExecutionKey key : keys) {
            running.add(readers.submit(() -> {
                to.put(key, StoredExecution.read(store, key, of(key)));
                done.incrementAndGet();
            }));
        }
        running.forEach(UpdateLog::await);
    }

    private List<ExecutionKey> behind(Collection<ExecutionKey> keys, Map<ExecutionKey, StoredExecution> read) {
        return keys.stream()
                .filter(key -> version(read.get(key)) < of(key).version())
                .toList();
    }

    private static long version(@Nullable StoredExecution stored) {
        return stored == null ? 0 : stored.version();
    }

    private List<ExecutionKey> arrived(List<ExecutionKey> behind) {
        List<ExecutionKey> arrived = new ArrayList<>();
        for (int from = 0; from < behind.size(); from += VERSIONS_AT_ONCE) {
            List<ExecutionKey> some = behind.subList(from, Math.min(behind.size(), from + VERSIONS_AT_ONCE));
            Map<ExecutionKey, Long> versions =
                    store.versions(some).blockOptional().orElse(Map.of());
            some.stream()
                    .filter(key -> versions.getOrDefault(key, 0L) >= of(key).version())
                    .forEach(arrived::add);
        }
        return arrived;
    }

    private Shadow.Of of(ExecutionKey key) {
        Shadow.Of of = shadow.get(key);
        if (of == null) {
            throw new IllegalStateException(key + ": not in the shadow (expected: there)");
        }
        return of;
    }
}
