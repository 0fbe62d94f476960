package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ExecutionStore;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which version of each execution is stored: read when an execution is first touched, remembered while this instance is
 * the one that writes it. Safe for use by many threads.
 */
final class StoredVersions {
    private static final int REMEMBERED = 50_000;

    private final ExecutionStore store;
    private final Map<ExecutionKey, Long> remembered = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<ExecutionKey, Long> eldest) {
            return size() > REMEMBERED;
        }
    };

    StoredVersions(ExecutionStore store) {
        this.store = store;
    }

    /** The versions of all these; 0 for what is not stored. */
    Map<ExecutionKey, Long> of(Collection<ExecutionKey> keys) {
        Map<ExecutionKey, Long> versions = new HashMap<>();
        List<ExecutionKey> unknown = new ArrayList<>();
        synchronized (remembered) {
            for (ExecutionKey key : keys) {
                Long version = remembered.get(key);
                if (version == null) {
                    unknown.add(key);
                } else {
                    versions.put(key, version);
                }
            }
        }
        if (!unknown.isEmpty()) {
            unknown.forEach(key -> versions.put(key, 0L));
            Map<ExecutionKey, Long> stored = store.versions(unknown).block();
            if (stored != null) {
                versions.putAll(stored);
            }
        }
        return versions;
    }

    /** These are stored now. */
    void stored(Map<ExecutionKey, Long> versions) {
        synchronized (remembered) {
            remembered.putAll(versions);
        }
    }

    void forget(Collection<ExecutionKey> keys) {
        synchronized (remembered) {
            keys.forEach(remembered::remove);
        }
    }

    /** Partitions moved: others may have written, and may write. */
    void forgetAll() {
        synchronized (remembered) {
            remembered.clear();
        }
    }
}
