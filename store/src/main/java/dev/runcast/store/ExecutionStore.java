package dev.runcast.store;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.RejectedUpdate;
import java.util.Collection;
import java.util.Map;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * The executions, their entries and their whole history. Safe for use by many threads. Nothing blocks and nothing
 * happens before subscription; what the store's server cannot do comes as that driver's error and may be tried again.
 *
 * <p>An execution at version v promises that all of v can be read: the header is written last. Entries may already be
 * newer than the header; their texts are given as of the header's version, so whoever applies the changes after v to
 * what was read at v comes out right.
 */
public interface ExecutionStore {
    /** Creates what the store needs and checks that it is there. To be called, any number of times, before a write. */
    Mono<Void> prepare();

    /**
     * The execution, all fields complete; empty when there is none. While a text grows and nothing else changes, {@code
     * totals.text_bytes} stays behind: changes do not carry it then, and it is the sum of the entries' text lengths.
     */
    Mono<Execution> execution(ExecutionKey key);

    /** Those of the given executions that are stored, each as {@link #execution(ExecutionKey)} gives it. */
    Mono<Map<ExecutionKey, Execution>> executions(Collection<ExecutionKey> keys);

    /** The versions of those of the given executions that are stored. */
    Mono<Map<ExecutionKey, Long>> versions(Collection<ExecutionKey> keys);

    /** All executions that are stored, of all tenants, in no order. */
    Flux<ExecutionKey> keys();

    /**
     * A page of a tenant's executions, newest first by {@code created_at} in milliseconds.
     *
     * @param pageToken from the page before with the same filter; empty for the first
     * @param limit at most this many, 1 or greater
     * @return fails with {@link InvalidQueryException} when the token is not of this filter
     */
    Mono<Page<Execution>> executions(String tenant, ExecutionFilter filter, String pageToken, int limit);

    /**
     * The entries of an execution by ordinal, with their texts. Reads ahead no more than about 1 MiB of text, so
     * whoever has enough cancels.
     *
     * @param execution as {@link #execution} gave it: says how many entries there are, and of which version the texts
     * @param afterOrdinal only entries after this ordinal; 0 for all
     */
    Flux<StoredEntry> entries(Execution execution, long afterOrdinal);

    /**
     * The history in order of version and without a hole, as far as it goes: ends early at the first version that is
     * not there.
     *
     * @param afterVersion only changes after this version; 0 for all
     * @param throughVersion none after this version; {@link Long#MAX_VALUE} for all there are
     */
    Flux<Change> changes(ExecutionKey key, long afterVersion, long throughVersion);

    /**
     * The change that a request made, found by its request id at the same cost however long the history is. The newest
     * one when an id was used again after the merge had forgotten it; empty when none is stored.
     */
    Mono<Change> request(ExecutionKey key, String requestId);

    /**
     * A page of updates that were not applied, newest first by their place in the log. Kept for 30 days.
     *
     * @param pageToken from the page before; empty for the first
     * @param limit at most this many, 1 or greater
     * @return fails with {@link InvalidQueryException} when the token is not one of these
     */
    Mono<Page<RejectedUpdate>> rejected(ExecutionKey key, String pageToken, int limit);

    /**
     * Records that could not be taken over, latest first.
     *
     * @param limit at most this many, 1 or greater
     */
    Flux<DeadLetter> deadLetters(int limit);

    /** The name of this store, given when it was first opened: another name means another store, with other cursors. */
    Mono<String> generation();

    /**
     * Writes changes, rejections and dead letters. Everything in it may have been written before: writing it again
     * changes nothing. Completes when it is durable, each execution's header after everything it promises; when it
     * fails, any part may have been written, and the whole must be written again. Fails with {@link
     * UnstorableException} when trying again cannot help; then parts of the write may still be written by themselves.
     */
    Mono<Void> write(StoreWrite write);

    /**
     * Takes an execution out, whatever is left of it: history, entries and texts, and after them the header, so that a
     * removal which is broken off is seen as one that has to be done again. Rejections stay: they tell of the log.
     * Completes when it is durable, also when there was nothing. For the store's one writer, which writes nothing of
     * the execution meanwhile.
     */
    Mono<Void> remove(ExecutionKey key);

    /** Takes out what is left without a header, when no execution has one. Does nothing when one has. */
    Mono<Void> removeHeadless();

    /**
     * Where what is stored of an execution contradicts itself: fields that exist twice, once for readers of the
     * store and once for lists and shells. In words, {@code path: value (expected: value)}; empty when all agree.
     */
    Flux<String> contradictions(ExecutionKey key);
}
