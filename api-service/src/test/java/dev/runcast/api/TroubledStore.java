package dev.runcast.api;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.DeadLetter;
import dev.runcast.store.ExecutionFilter;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.Page;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import java.util.Collection;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Another store with troubles that tests switch on. Thread-safe. */
public final class TroubledStore implements ExecutionStore {
    /** How often the history was read. */
    public final AtomicInteger historyReads = new AtomicInteger();

    private volatile ExecutionStore store;
    private volatile boolean down;
    private volatile Runnable beforeEntries = () -> {};
    private volatile Runnable entryRead = () -> {};
    private volatile Mono<?> headerGate = Mono.empty();
    private volatile @Nullable ExecutionKey damaged;
    /** How often a header was read. */
    public final AtomicInteger headerReads = new AtomicInteger();
    /** How often headers were read together. */
    public final AtomicInteger commonReads = new AtomicInteger();

    public TroubledStore(ExecutionStore store) {
        this.store = store;
    }

    /** From now on nothing is answered, or everything again. */
    public void down(boolean isDown) {
        this.down = isDown;
    }

    /** What happens between the reading of a header and that of its entries. */
    public void beforeEntries(Runnable happens) {
        this.beforeEntries = happens;
    }

    /** This header cannot be read any more. */
    public void damage(ExecutionKey key) {
        this.damaged = key;
    }

    /** Headers are read at once, and given out, or told to be absent, only when this says so; each time anew. */
    public void headersWaitFor(Mono<?> gate) {
        this.headerGate = gate;
    }

    /** What happens whenever an entry is given out. */
    public void entryRead(Runnable happens) {
        this.entryRead = happens;
    }

    /** Another store takes the place. */
    public void replace(ExecutionStore other) {
        this.store = other;
    }

    @Override
    public Mono<Execution> execution(ExecutionKey key) {
        return Mono.defer(() -> {
            headerReads.incrementAndGet();
            Mono<?> gate = headerGate;
            return down || key.equals(damaged)
                    ? Mono.error(outage())
                    : store.execution(key)
                            .materialize()
                            .delayUntil(read -> gate)
                            .<Execution>dematerialize();
        });
    }

    @Override
    public Mono<Map<ExecutionKey, Execution>> executions(Collection<ExecutionKey> keys) {
        return Mono.defer(() -> {
            commonReads.incrementAndGet();
            return Flux.fromIterable(keys)
                    .concatMap(key -> execution(key).map(found -> Map.entry(key, found)))
                    .collectMap(Map.Entry::getKey, Map.Entry::getValue);
        });
    }

    @Override
    public Mono<Map<ExecutionKey, Long>> versions(Collection<ExecutionKey> keys) {
        return Mono.defer(() -> down ? Mono.error(outage()) : store.versions(keys));
    }

    @Override
    public Mono<Page<Execution>> executions(String tenant, ExecutionFilter filter, String pageToken, int limit) {
        return Mono.defer(() -> down ? Mono.error(outage()) : store.executions(tenant, filter, pageToken, limit));
    }

    @Override
    public Flux<StoredEntry> entries(Execution execution, long afterOrdinal) {
        return Flux.defer(() -> {
            beforeEntries.run();
            return down
                    ? Flux.error(outage())
                    : store.entries(execution, afterOrdinal).doOnNext(entry -> entryRead.run());
        });
    }

    @Override
    public Flux<Change> changes(ExecutionKey key, long afterVersion, long throughVersion) {
        return Flux.defer(() -> {
            historyReads.incrementAndGet();
            return down ? Flux.error(outage()) : store.changes(key, afterVersion, throughVersion);
        });
    }

    @Override
    public Mono<Change> request(ExecutionKey key, String requestId) {
        return Mono.defer(() -> down ? Mono.error(outage()) : store.request(key, requestId));
    }

    @Override
    public Mono<Page<RejectedUpdate>> rejected(ExecutionKey key, String pageToken, int limit) {
        return Mono.defer(() -> down ? Mono.error(outage()) : store.rejected(key, pageToken, limit));
    }

    @Override
    public Flux<DeadLetter> deadLetters(int limit) {
        return store.deadLetters(limit);
    }

    @Override
    public Mono<String> generation() {
        return Mono.defer(() -> down ? Mono.error(outage()) : store.generation());
    }

    @Override
    public Mono<Void> prepare() {
        return store.prepare();
    }

    @Override
    public Mono<Void> write(StoreWrite write) {
        return store.write(write);
    }

    @Override
    public Flux<ExecutionKey> keys() {
        return store.keys();
    }

    @Override
    public Mono<Void> remove(ExecutionKey key) {
        return store.remove(key);
    }

    @Override
    public Mono<Void> removeHeadless() {
        return store.removeHeadless();
    }

    @Override
    public Flux<String> contradictions(ExecutionKey key) {
        return store.contradictions(key);
    }

    private static RuntimeException outage() {
        return new IllegalStateException("the server is away");
    }
}
