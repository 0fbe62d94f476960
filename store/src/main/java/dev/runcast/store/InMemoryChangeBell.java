package dev.runcast.store;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The twin: rings within one JVM. */
public final class InMemoryChangeBell implements ChangeBell {
    private final int bufferedRings;
    private final Map<String, Set<RingBuffer>> listeners = new ConcurrentHashMap<>();

    /** Buffers as many rings for each listener as the real one does by default. */
    public InMemoryChangeBell() {
        this(RingBuffer.DEFAULT_CAPACITY);
    }

    /** @param bufferedRings how many rings wait for a listener before they become one Fetch, 1 or greater */
    public InMemoryChangeBell(int bufferedRings) {
        this.bufferedRings = bufferedRings;
    }

    @Override
    public Mono<Void> publish(ChangeBatch batch) {
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        // Through the codec, so that what is too large for a channel is so here too.
        return Mono.fromRunnable(() -> ring(RingCodec.channel(key), RingCodec.decodeChanges(RingCodec.encode(batch))));
    }

    @Override
    public Mono<Void> publishRow(Execution row) {
        return Mono.fromRunnable(() -> ring(RingCodec.channel(row.getTenant()), new Ring.Row(row)));
    }

    @Override
    public Flux<Ring> listen(ExecutionKey key) {
        return listenTo(RingCodec.channel(key));
    }

    @Override
    public Flux<Ring> listenRows(String tenant) {
        return listenTo(RingCodec.channel(tenant));
    }

    /** As after an outage of a real server: every listener is told that its subscription is new. */
    public void resubscribe() {
        listeners.values().forEach(all -> all.forEach(listener -> listener.offer(new Ring.Subscribed())));
    }

    /** Whether somebody listens to an execution, so that the next ring is heard. */
    public boolean isListenedTo(ExecutionKey key) {
        return !listeners.getOrDefault(RingCodec.channel(key), Set.of()).isEmpty();
    }

    private Flux<Ring> listenTo(String channel) {
        return Flux.defer(() -> {
            RingBuffer buffer = new RingBuffer(bufferedRings);
            listeners.compute(channel, (same, before) -> {
                Set<RingBuffer> after = before == null ? ConcurrentHashMap.newKeySet() : before;
                after.add(buffer);
                return after;
            });
            buffer.offer(new Ring.Subscribed());
            return buffer.rings()
                    .doFinally(end -> listeners.computeIfPresent(channel, (same, all) -> {
                        all.remove(buffer);
                        return all.isEmpty() ? null : all;
                    }));
        });
    }

    private void ring(String channel, Ring ring) {
        listeners.getOrDefault(channel, Set.of()).forEach(listener -> listener.offer(ring));
    }
}
