package dev.runcast.store;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Rings when an execution changes: at most once, in order while nothing is lost, and never the only way to learn
 * something. Safe for use by many threads.
 */
public interface ChangeBell {
    /** Rings for an execution. Completes when the server has taken it; whether anybody listens is not known. */
    Mono<Void> publish(ChangeBatch batch);

    /** Rings for a tenant: an execution's row, with absent message fields meaning unchanged as in a Change. */
    Mono<Void> publishRow(Execution row);

    /**
     * What rings for one execution from now on. Never ends and never fails: an outage shows as a {@link
     * Ring.Subscribed} after it. Whoever takes too little gets a {@link Ring.Fetch} for what was left out.
     */
    Flux<Ring> listen(ExecutionKey key);

    /** What rings for a tenant from now on, in the same way, with {@link Ring.Row} for each row. */
    Flux<Ring> listenRows(String tenant);
}
