package dev.runcast.benchmarks;

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
import java.util.concurrent.atomic.LongAdder;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** Takes every write at once and keeps nothing, so that what is measured is who writes. Thread-safe. */
final class ForgetfulStore implements ExecutionStore {
    private final LongAdder changes = new LongAdder();

    /** How many changes were written. */
    long changes() {
        return changes.sum();
    }

    @Override
    public Mono<Void> prepare() {
        return Mono.empty();
    }

    @Override
    public Mono<Execution> execution(ExecutionKey key) {
        return Mono.empty();
    }

    @Override
    public Mono<Map<ExecutionKey, Execution>> executions(Collection<ExecutionKey> keys) {
        return Mono.just(Map.of());
    }

    @Override
    public Mono<Map<ExecutionKey, Long>> versions(Collection<ExecutionKey> keys) {
        return Mono.just(Map.of());
    }

    @Override
    public Mono<Page<Execution>> executions(String tenant, ExecutionFilter filter, String pageToken, int limit) {
        return Mono.empty();
    }

    @Override
    public Flux<StoredEntry> entries(Execution execution, long afterOrdinal) {
        return Flux.empty();
    }

    @Override
    public Flux<Change> changes(ExecutionKey key, long afterVersion, long throughVersion) {
        return Flux.empty();
    }

    @Override
    public Mono<Page<RejectedUpdate>> rejected(ExecutionKey key, String pageToken, int limit) {
        return Mono.empty();
    }

    @Override
    public Flux<DeadLetter> deadLetters(int limit) {
        return Flux.empty();
    }

    @Override
    public Mono<String> generation() {
        return Mono.just("none");
    }

    @Override
    public Mono<Void> write(StoreWrite write) {
        return Mono.fromRunnable(() -> write.changes().forEach(batch -> changes.add(batch.getChangesCount())));
    }

    @Override
    public Flux<ExecutionKey> keys() {
        return Flux.empty();
    }

    @Override
    public Mono<Change> request(ExecutionKey key, String requestId) {
        return Mono.empty();
    }

    @Override
    public Mono<Void> remove(ExecutionKey key) {
        return Mono.empty();
    }

    @Override
    public Mono<Void> removeHeadless() {
        return Mono.empty();
    }

    @Override
    public Flux<String> contradictions(ExecutionKey key) {
        return Flux.empty();
    }
}
