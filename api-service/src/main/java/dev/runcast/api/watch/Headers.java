package dev.runcast.api.watch;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;

/**
 * Reads the headers of watched executions. All feeds look again and again; what they ask for within a short window is one
 * query, so that ten thousand quiet executions cost the store some hundred queries a second together, and a hundred of
 * them ten. Thread-safe.
 */
final class Headers {
    /** A query for more is slow to plan and holds up those who share it. */
    static final int MOST = 100;

    private final ExecutionStore store;
    private final Duration window;
    private final Duration timeout;
    private final Scheduler timer;

    private final Object lock = new Object();
    /** What takes more; guarded by {@code lock}. */
    private @Nullable Query open;

    private static final class Query {
        final Set<ExecutionKey> keys = new HashSet<>();
        final Sinks.One<Map<ExecutionKey, Execution>> answer = Sinks.one();
    }

    Headers(ExecutionStore store, WatchSettings settings, Scheduler timer) {
        this.store = store;
        this.window = settings.pollEvery().dividedBy(10);
        this.timeout = settings.storeTimeout();
        this.timer = timer;
    }

    /** How long a header may be put off, for others that are asked for meanwhile. */
    Duration window() {
        return window;
    }

    /** Reads a header by itself and at once; empty when there is none. */
    Mono<Optional<Execution>> now(ExecutionKey key) {
        return store.execution(key).map(Optional::of).defaultIfEmpty(Optional.empty());
    }

    /** Reads a header within the window, together with others. What no common query could read is read by itself. */
    Mono<Optional<Execution>> soon(ExecutionKey key) {
        return Mono.defer(() -> join(key)
                .answer
                .asMono()
                .map(found -> Optional.ofNullable(found.get(key)))
                // One header that is damaged must not hide the others.
                .onErrorResume(failure -> now(key)));
    }

    private Query join(ExecutionKey key) {
        Query query;
        boolean first;
        boolean full;
        synchronized (lock) {
            first = open == null;
            query = first ? new Query() : open;
            query.keys.add(key);
            full = query.keys.size() >= MOST;
            open = full ? null : query;
        }
        if (full) {
            ask(query);
        } else if (first) {
            timer.schedule(() -> shut(query), window.toMillis(), TimeUnit.MILLISECONDS);
        }
        return query;
    }

    private void shut(Query query) {
        synchronized (lock) {
            if (open != query) {
                return;
            }
            open = null;
        }
        ask(query);
    }

    private void ask(Query query) {
        store.executions(query.keys)
                .collectMap(found -> new ExecutionKey(found.getTenant(), found.getExecutionId()))
                .timeout(timeout)
                .subscribe(query.answer::tryEmitValue, query.answer::tryEmitError);
    }
}
