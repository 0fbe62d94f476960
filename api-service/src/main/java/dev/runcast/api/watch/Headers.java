package dev.runcast.api.watch;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Signal;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;

/**
 * Reads the headers of watched executions. All feeds look again and again; what they ask for within a short window is one
 * query, so that ten thousand quiet executions cost the store some hundred queries a second together, and a hundred of
 * them ten. What is urgent does not wait for others. Thread-safe.
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
    private @Nullable Query unsent;

    private static final class Query {
        final Set<ExecutionKey> keys = new HashSet<>();
        final Sinks.One<Map<ExecutionKey, Signal<Execution>>> answer = Sinks.one();
    }

    Headers(ExecutionStore store, WatchSettings settings, Scheduler timer) {
        this.store = store;
        // Of the store's time too: the answer may take what the window leaves.
        long shortest = Math.min(
                settings.pollEvery().toMillis(), settings.storeTimeout().toMillis());
        this.window = Duration.ofMillis(shortest / 10);
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

    /** Begins to read a header within the window, together with others; empty when there is none. */
    Mono<Optional<Execution>> soon(ExecutionKey key) {
        return Mono.defer(() -> join(key).answer.asMono()).flatMap(answers -> {
            Signal<Execution> answer = answers.get(key);
            return answer != null && answer.isOnError()
                    ? Mono.error(Objects.requireNonNull(answer.getThrowable()))
                    : Mono.just(Optional.ofNullable(answer).map(Signal::get));
        });
    }

    private Query join(ExecutionKey key) {
        Query query;
        boolean first;
        boolean full;
        synchronized (lock) {
            first = unsent == null;
            query = unsent == null ? new Query() : unsent;
            query.keys.add(key);
            full = query.keys.size() >= MOST;
            unsent = full ? null : query;
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
            if (unsent != query) {
                return;
            }
            unsent = null;
        }
        ask(query);
    }

    private void ask(Query query) {
        store.executions(query.keys)
                .map(found -> {
                    Map<ExecutionKey, Signal<Execution>> answers = new HashMap<>();
                    found.forEach((key, execution) -> answers.put(key, Signal.next(execution)));
                    return answers;
                })
                .onErrorResume(failure -> oneByOne(query.keys))
                .timeout(timeout)
                .subscribe(query.answer::tryEmitValue, query.answer::tryEmitError);
    }

    /** One header that is damaged must not hide the others. A few at a time: the store may be what is in trouble. */
    private Mono<Map<ExecutionKey, Signal<Execution>>> oneByOne(Set<ExecutionKey> keys) {
        return Flux.fromIterable(keys)
                .flatMap(key -> store.execution(key).materialize().map(answer -> Map.entry(key, answer)), 4)
                .collectMap(Map.Entry::getKey, Map.Entry::getValue);
    }
}
