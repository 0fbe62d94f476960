package dev.runcast.api.control;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.Ring;
import dev.runcast.v1.Change;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Asks the merge: appends a request and finds the change that came of it. Thread-safe.
 *
 * <p>How: it listens to the bell first, so that no answer can be missed, then looks whether the store has one already,
 * and only then appends. A repeat that the merge takes for a duplicate makes no change; its answer is the change of the
 * first one, which the store finds by the request's id. While the answer is waited for the store is asked again and
 * again, so a bell that is silent delays it and no more. What the bell says may come before the merge's transaction is
 * committed; that is sound, since the merge makes the same change of the same log again.
 */
public final class Requests {
    /** A bell that does not confirm by then does not keep anybody waiting; the store is asked all the same. */
    private static final Duration BELL_PATIENCE = Duration.ofMillis(500);

    /** A store that is slow does not keep a request from the log. */
    private static final Duration STORE_PATIENCE = Duration.ofSeconds(1);

    private static final int NEWEST_REJECTED = 20;

    private final UpdateLog log;
    private final ExecutionStore store;
    private final ChangeBell bell;
    private final Duration askEvery;
    private final Duration patience;

    /**
     * Asks through this log, and hears from this bell and store.
     *
     * @param askEvery how often the store is asked for an answer
     * @param patience how long an answer is waited for
     */
    public Requests(UpdateLog log, ExecutionStore store, ChangeBell bell, Duration askEvery, Duration patience) {
        this.log = log;
        this.store = store;
        this.bell = bell;
        this.askEvery = askEvery;
        this.patience = patience;
    }

    /**
     * Appends an update as a person's request.
     *
     * @param requestId names it; the same one again gets the change of the first
     * @return the change, also when it says that the request was refused. Fails with LOG_UNAVAILABLE or NO_ANSWER, after
     *     which the same request may be repeated
     */
    Mono<Change> ask(ExecutionKey key, Principal principal, String requestId, Update update) {
        UpdateBatch request = UpdateBatch.newBuilder()
                .setExecutionId(key.executionId())
                .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_OPERATOR))
                .setRequestId(requestId)
                .addUpdates(update)
                .build();
        return Mono.defer(() -> {
                    Sinks.Empty<Void> listening = Sinks.empty();
                    Mono<Change> heard = bell.listen(key)
                            .concatMap(ring -> answerIn(ring, key, requestId, listening))
                            .next();
                    Mono<Change> found = Flux.interval(askEvery)
                            .onBackpressureDrop()
                            .concatMap(tick -> storedIfKnown(key, requestId), 1)
                            .next();
                    Mono<Change> asked = listening
                            .asMono()
                            .timeout(BELL_PATIENCE, Mono.empty())
                            .then(storedIfKnown(key, requestId))
                            .switchIfEmpty(Mono.defer(() -> log.append(request, principal)
                                    .onErrorMap(failure -> notDurable(requestId, failure))
                                    .then(Mono.never())));
                    return Mono.firstWithSignal(heard, found, asked);
                })
                .timeout(patience, Mono.defer(() -> noAnswer(key, requestId)));
    }

    /** The change that a request has made, if it is stored. Fails with STORE_UNAVAILABLE. */
    Mono<Change> stored(ExecutionKey key, String requestId) {
        return store.request(key, requestId)
                .timeout(STORE_PATIENCE)
                .onErrorMap(failure -> Failures.of(Reason.STORE_UNAVAILABLE, "the store does not answer", failure));
    }

    /** The same, without minding that the store is away: the bell may tell. */
    private Mono<Change> storedIfKnown(ExecutionKey key, String requestId) {
        return store.request(key, requestId).timeout(STORE_PATIENCE).onErrorResume(away -> Mono.empty());
    }

    private Mono<Change> answerIn(Ring ring, ExecutionKey key, String requestId, Sinks.Empty<Void> listening) {
        if (ring instanceof Ring.Changes changes) {
            Optional<Change> answer = changes.batch().getChangesList().stream()
                    .filter(change -> change.getRequestOutcome().getRequestId().equals(requestId))
                    .findFirst();
            return Mono.justOrEmpty(answer);
        }
        if (ring instanceof Ring.Subscribed) {
            listening.tryEmitEmpty();
        }
        return Mono.empty();
    }

    /** A request to an execution that is not there makes no change when it is refused, only a rejected update. */
    private Mono<Change> noAnswer(ExecutionKey key, String requestId) {
        return store.rejected(key, "", NEWEST_REJECTED)
                .timeout(STORE_PATIENCE)
                .onErrorResume(away -> Mono.empty())
                .flatMapIterable(page -> page.items())
                .filter(rejected -> rejected.getRequestId().equals(requestId))
                .next()
                .<Change>flatMap(rejected -> Mono.error(refused(rejected)))
                .switchIfEmpty(Mono.error(() -> Failures.of(
                        Reason.NO_ANSWER,
                        "request_id: %s has no answer after %d ms (expected: the same request_id again, which is safe: it is done once)"
                                .formatted(requestId, patience.toMillis()),
                        Map.of("request_id", requestId, "execution_id", key.executionId()))));
    }

    private static DoorException refused(RejectedUpdate rejected) {
        return Failures.of(
                Reason.of(rejected.getReason()),
                rejected.getMessage(),
                Map.of("request_id", rejected.getRequestId(), "execution_id", rejected.getExecutionId()));
    }

    private static DoorException notDurable(String requestId, Throwable failure) {
        return Failures.of(
                Reason.LOG_UNAVAILABLE,
                "request_id: %s is not known to be in the log (expected: the same request_id again, which is safe: it is done once)"
                        .formatted(requestId),
                Map.of("request_id", requestId),
                failure);
    }
}
