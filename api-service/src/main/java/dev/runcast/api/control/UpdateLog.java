package dev.runcast.api.control;

import dev.runcast.doors.Principal;
import dev.runcast.v1.UpdateBatch;
import reactor.core.publisher.Mono;

/** The log that requests are appended to. Safe for use by many threads. */
public interface UpdateLog {
    /**
     * Stamps a request as this caller's and appends it; those of one instance in the order of their stamps.
     *
     * @return completes when it is durable. Fails when that is not known: it may still come to be. A subscriber who
     *     cancels before the request has been given to the log takes it back
     */
    Mono<Void> append(UpdateBatch request, Principal principal);
}
