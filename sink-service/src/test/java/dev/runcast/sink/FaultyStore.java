package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.DeadLetter;
import dev.runcast.store.ExecutionFilter;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.store.Page;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.StoredEntry;
import dev.runcast.store.UnstorableException;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** A store that fails when it is told to. */
final class FaultyStore implements ExecutionStore {
    final InMemoryExecutionStore real = new InMemoryExecutionStore();
    final AtomicInteger writesThatFail = new AtomicInteger();
    final Set<String> unstorable = new HashSet<>();
    final AtomicInteger writes = new AtomicInteger();

    @Override
    public Mono<Void> write(StoreWrite write) {
        return Mono.defer(() -> {
            writes.incrementAndGet();
            if (write.changes().stream().anyMatch(batch -> unstorable.contains(batch.getExecutionId()))) {
                return Mono.error(new UnstorableException("17 MB (expected: at most 16 MB)", new RuntimeException()));
            }
            if (writesThatFail.get() > 0) {
                writesThatFail.decrementAndGet();
                // As after a crash: it is written, and nobody knows.
                return real.write(write).then(Mono.error(new IllegalStateException("no answer")));
            }
            return real.write(write);
        });
    }

    @Override
    public Mono<Void> prepare() {
        return real.prepare();
    }

    @Override
    public Mono<Execution> execution(ExecutionKey key) {
        return real.execution(key);
    }

    @Override
    public Mono<Map<ExecutionKey, Execution>> executions(Collection<ExecutionKey> keys) {
        return real.executions(keys);
    }

    @Override
    public Mono<Map<ExecutionKey, Long>> versions(Collection<ExecutionKey> keys) {
        return real.versions(keys);
    }

    @Override
    public Mono<Page<Execution>> executions(String tenant, ExecutionFilter filter, String pageToken, int limit) {
        return real.executions(tenant, filter, pageToken, limit);
    }

    @Override
    public Flux<StoredEntry> entries(Execution execution, long afterOrdinal) {
        return real.entries(execution, afterOrdinal);
    }

    @Override
    public Flux<Change> changes(ExecutionKey key, long afterVersion, long throughVersion) {
        return real.changes(key, afterVersion, throughVersion);
    }

    @Override
    public Mono<Change> request(ExecutionKey key, String requestId) {
        return real.request(key, requestId);
    }

    @Override
    public Mono<Page<RejectedUpdate>> rejected(ExecutionKey key, String pageToken, int limit) {
        return real.rejected(key, pageToken, limit);
    }

    @Override
    public Flux<DeadLetter> deadLetters(int limit) {
        return real.deadLetters(limit);
    }

    @Override
    public Mono<String> generation() {
        return real.generation();
    }

    @Override
    public Flux<ExecutionKey> keys() {
        return real.keys();
    }

    @Override
    public Mono<Void> remove(ExecutionKey key) {
        return real.remove(key);
    }

    @Override
    public Mono<Void> removeHeadless() {
        return real.removeHeadless();
    }

    @Override
    public Flux<String> contradictions(ExecutionKey key) {
        return real.contradictions(key);
    }
}
