package dev.runcast.api.read;

import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.store.ExecutionFilter;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.InvalidQueryException;
import dev.runcast.store.PageToken;
import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.GetExecutionResponse;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListChangesResponse;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListEntriesResponse;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.ListExecutionsResponse;
import dev.runcast.v1.ListRejectedUpdatesRequest;
import dev.runcast.v1.ListRejectedUpdatesResponse;
import java.time.Duration;
import java.util.function.Supplier;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * Answers what can be answered from the store, within the caller's tenant: another tenant's execution is not there.
 * Every answer fails with a {@link DoorException}. Thread-safe.
 */
public final class ExecutionReader {
    private static final int DEFAULT_EXECUTIONS = 50;
    private static final int DEFAULT_PAGE = 100;
    /** Clients of gRPC refuse a message of over 4 MiB unless told otherwise; a page may have 1 MiB before this. */
    private static final int MAX_CHANGE_BYTES = 3 * 1024 * 1024 - 64 * 1024;
    /** How often entries are read again that were written while they were read. */
    private static final int LOOKS = 3;

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);

    private final ExecutionStore store;
    private final Duration timeout;

    /** Reads this store, and waits for no answer longer than {@code timeout}. */
    public ExecutionReader(ExecutionStore store, Duration timeout) {
        this.store = store;
        this.timeout = timeout;
    }

    /** GetExecution. */
    public Mono<GetExecutionResponse> get(String tenant, GetExecutionRequest request) {
        return answer(() -> {
            Contract.check(request);
            ExecutionKey key = new ExecutionKey(tenant, request.getExecutionId());
            return header(key)
                    .flatMap(newest -> isNow(request.getAtVersion(), newest)
                            ? Mono.just(newest)
                            : view(key, request.getAtVersion(), newest).map(view -> execution(key, view)))
                    .map(execution -> GetExecutionResponse.newBuilder()
                            .setExecution(execution)
                            .build());
        });
    }

    /** ListExecutions. */
    public Mono<ListExecutionsResponse> list(String tenant, ListExecutionsRequest request) {
        return answer(() -> {
            Contract.check(request);
            ExecutionFilter filter = ExecutionFilter.parse(request.getFilter());
            int limit = request.getPageSize() == 0 ? DEFAULT_EXECUTIONS : request.getPageSize();
            return store.executions(tenant, filter, request.getPageToken(), limit)
                    .map(page -> ListExecutionsResponse.newBuilder()
                            .addAllExecutions(page.items())
                            .setNextPageToken(page.nextPageToken())
                            .build());
        });
    }

    /** ListEntries. */
    public Mono<ListEntriesResponse> entries(String tenant, ListEntriesRequest request) {
        return answer(() -> {
            Contract.check(request);
            ExecutionKey key = new ExecutionKey(tenant, request.getExecutionId());
            String query = "entries %s %d".formatted(key, request.getAtVersion());
            long after = after(query, request.getPageToken(), 0);
            int limit = pageSize(request.getPageSize());
            return header(key)
                    .flatMap(newest -> isNow(request.getAtVersion(), newest)
                            ? entriesNow(key, newest, after, limit, LOOKS)
                            : entriesAt(key, request.getAtVersion(), newest, after, limit))
                    .map(cut -> ListEntriesResponse.newBuilder()
                            .addAllEntries(cut.items())
                            .setNextPageToken(
                                    cut.more() ? token(query, cut.last().getOrdinal()) : "")
                            .build());
        });
    }

    /** ListChanges. */
    public Mono<ListChangesResponse> changes(String tenant, ListChangesRequest request) {
        return answer(() -> {
            Contract.check(request);
            ExecutionKey key = new ExecutionKey(tenant, request.getExecutionId());
            String query = "changes " + key;
            long after = after(query, request.getPageToken(), request.getAfterVersion());
            return header(key).flatMap(newest -> {
                PageCut<Change> cut = new PageCut<>(pageSize(request.getPageSize()));
                return store.changes(key, after, newest.getVersion())
                        .map(ExecutionReader::fitting)
                        .takeWhile(cut::offer)
                        .then(Mono.fromSupplier(() -> ListChangesResponse.newBuilder()
                                .addAllChanges(cut.items())
                                .setNextPageToken(
                                        cut.more() ? token(query, cut.last().getVersion()) : "")
                                .build()));
            });
        });
    }

    /** A change that clients take: without the entries' records when it has too many. */
    private static Change fitting(Change change) {
        return change.getSerializedSize() <= MAX_CHANGE_BYTES
                ? change
                : change.toBuilder()
                        .clearEntries()
                        .setEntriesOmitted(change.getEntriesCount())
                        .build();
    }

    /** ListRejectedUpdates. */
    public Mono<ListRejectedUpdatesResponse> rejected(String tenant, ListRejectedUpdatesRequest request) {
        return answer(() -> {
            Contract.check(request);
            ExecutionKey key = new ExecutionKey(tenant, request.getExecutionId());
            return store.rejected(key, request.getPageToken(), pageSize(request.getPageSize()))
                    // All of an execution's updates may have been rejected: then there is no header.
                    .flatMap(page -> page.items().isEmpty() ? header(key).thenReturn(page) : Mono.just(page))
                    .map(page -> ListRejectedUpdatesResponse.newBuilder()
                            .addAllRejectedUpdates(page.items())
                            .setNextPageToken(page.nextPageToken())
                            .build());
        });
    }

    private Mono<Execution> header(ExecutionKey key) {
        return store.execution(key).switchIfEmpty(Mono.error(() -> Failures.noExecution(key.executionId())));
    }

    private static boolean isNow(long atVersion, Execution newest) {
        return atVersion == 0 || atVersion == newest.getVersion();
    }

    /**
     * A page of what is stored. A record can be newer than the header it was read with, and its text then older than
     * itself: such a page is read again, and in the end made from the history.
     */
    private Mono<PageCut<Entry>> entriesNow(ExecutionKey key, Execution newest, long after, int limit, int looks) {
        PageCut<Entry> cut = new PageCut<>(limit);
        return store.entries(newest, after)
                .map(StoredEntry::filled)
                .takeWhile(cut::offer)
                .then(Mono.defer(() -> {
                    boolean whole = cut.items().stream().allMatch(entry -> entry.getVersion() <= newest.getVersion());
                    if (whole) {
                        return Mono.just(cut);
                    }
                    if (looks == 1) {
                        return entriesAt(key, newest.getVersion(), newest, after, limit);
                    }
                    return Mono.delay(BETWEEN_LOOKS)
                            .then(header(key))
                            .flatMap(newer -> entriesNow(key, newer, after, limit, looks - 1));
                }));
    }

    private Mono<PageCut<Entry>> entriesAt(ExecutionKey key, long version, Execution newest, long after, int limit) {
        return view(key, version, newest).flatMap(view -> {
            PageCut<Entry> cut = new PageCut<>(limit);
            return Flux.fromIterable(view.entries())
                    .filter(entry -> entry.getOrdinal() > after)
                    .takeWhile(cut::offer)
                    .then(Mono.just(cut));
        });
    }

    /** The state at a version, built from the history. */
    private Mono<ExecutionView> view(ExecutionKey key, long version, Execution newest) {
        if (version > newest.getVersion()) {
            return Mono.error(Failures.value(
                    Reason.VERSION_AHEAD,
                    "at_version",
                    Long.toString(version),
                    "0 to %d, the newest".formatted(newest.getVersion())));
        }
        return store.changes(key, 0, version)
                .reduce(ExecutionView.EMPTY, ExecutionView::apply)
                .flatMap(view -> view.version() == version
                        ? Mono.just(view)
                        : Mono.error(Failures.of(
                                Reason.INTERNAL,
                                "history: ends at version %d (expected: %d)".formatted(view.version(), version))));
    }

    private static Execution execution(ExecutionKey key, ExecutionView view) {
        return view.execution().toBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .build();
    }

    private static int pageSize(int asked) {
        return asked == 0 ? DEFAULT_PAGE : asked;
    }

    private static long after(String query, String pageToken, long otherwise) {
        return pageToken.isEmpty()
                ? otherwise
                : PageToken.decode(query, pageToken).first();
    }

    private static String token(String query, long after) {
        return new PageToken(after, "").encode(query);
    }

    private <T> Mono<T> answer(Supplier<Mono<T>> question) {
        return Mono.defer(question).timeout(timeout).onErrorMap(ExecutionReader::said);
    }

    private static Throwable said(Throwable failure) {
        if (failure instanceof DoorException) {
            return failure;
        }
        if (failure instanceof InvalidQueryException query) {
            return Failures.value(Reason.INVALID, query.field(), query.value(), query.expected());
        }
        return Failures.of(Reason.STORE_UNAVAILABLE, "the store does not answer", failure);
    }
}
