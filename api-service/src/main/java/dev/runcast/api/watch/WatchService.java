package dev.runcast.api.watch;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Execution;
import dev.runcast.v1.SnapshotReason;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * Lets viewers watch executions, live and to their end. Thread-safe.
 *
 * <p>How: all viewers of an execution share one {@link Feed}, which lives as long as it has viewers. A {@link Viewer}
 * goes through stages: a snapshot of what is stored, or the history since its cursor, then the feed's ring. The feed
 * listens before any viewer reads the store, so nothing lies between the two; versions are consecutive, so what is
 * lost or repeated shows. That the run is over is taken from the store alone, never from the bell.
 */
public final class WatchService implements AutoCloseable {
    private final ExecutionStore store;
    private final ChangeBell bell;
    private final WatchSettings settings;
    private final InstantSource clock;
    private final Sinks.Empty<Void> closing = Sinks.empty();
    private final Map<ExecutionKey, Shared> feeds = new HashMap<>();

    private static final class Shared {
        final Feed feed;
        int viewers;

        Shared(Feed feed) {
            this.feed = feed;
        }
    }

    /**
     * A view that may begin.
     *
     * @param atEnd the viewer has seen everything, and nothing more can come
     * @param frames what the viewer is given, at its own pace; to be subscribed to once. Ends after Done, and fails with
     *     a {@link dev.runcast.doors.DoorException}
     */
    public record Watch(boolean atEnd, Flux<Frame> frames) {}

    /** Watches what the store has and the bell says. */
    public WatchService(ExecutionStore store, ChangeBell bell, WatchSettings settings, InstantSource clock) {
        this.store = store;
        this.bell = bell;
        this.settings = settings;
        this.clock = clock;
    }

    /**
     * Looks whether an execution can be watched.
     *
     * @param cursor of the last frame seen; empty to begin with the present state
     * @return fails with NOT_FOUND, INVALID for a cursor that is not one, or STORE_UNAVAILABLE
     */
    public Mono<Watch> open(ExecutionKey key, String cursor) {
        return Mono.defer(() -> {
            Cursor seen = cursor.isEmpty() ? null : Cursor.decode(key, cursor);
            return Mono.zip(store.execution(key), store.generation())
                    .timeout(settings.storeTimeout())
                    .onErrorMap(StoreFailures::said)
                    .switchIfEmpty(Mono.error(() -> Failures.noExecution(key.executionId())))
                    .map(found -> {
                        Execution execution = found.getT1();
                        if (seen == null) {
                            return new Watch(false, anew(key, SnapshotReason.SNAPSHOT_REASON_INITIAL));
                        }
                        if (!seen.generation().equals(Cursor.generation(found.getT2(), execution))) {
                            return new Watch(false, anew(key, SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED));
                        }
                        boolean atEnd = FeedState.isFinal(execution) && seen.version() == execution.getVersion();
                        return new Watch(atEnd, after(key, seen));
                    });
        });
    }

    /** How many executions are being watched. */
    public int feeds() {
        synchronized (feeds) {
            return feeds.size();
        }
    }

    /** Ends all views with DRAINING, and begins no more. */
    @Override
    public void close() {
        closing.tryEmitEmpty();
    }

    private Flux<Frame> anew(ExecutionKey key, SnapshotReason reason) {
        return on(key, feed -> Viewer.anew(key, store, settings, feed, reason));
    }

    private Flux<Frame> after(ExecutionKey key, Cursor seen) {
        return on(
                key,
                feed -> feed.generation().equals(seen.generation())
                        ? Viewer.after(key, store, settings, feed, seen.version())
                        : Viewer.anew(key, store, settings, feed, SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED));
    }

    private Flux<Frame> on(ExecutionKey key, Function<Feed, Viewer> viewer) {
        return Flux.defer(() -> {
            AtomicBoolean ended = new AtomicBoolean();
            return Flux.using(
                            () -> acquire(key),
                            shared -> shared.feed
                                    .ready()
                                    .thenMany(Flux.defer(
                                            () -> viewer.apply(shared.feed).frames())),
                            shared -> release(key, shared))
                    .doOnComplete(() -> ended.set(true))
                    // Completing cancels what runs, which an error from here would not.
                    .takeUntilOther(closing.asMono())
                    .concatWith(Mono.defer(() -> ended.get() ? Mono.empty() : Mono.error(WatchService::draining)));
        });
    }

    private static DoorException draining() {
        return Failures.of(Reason.DRAINING, "this instance stops (expected: watch again with the last cursor)");
    }

    private Shared acquire(ExecutionKey key) {
        Shared begun;
        synchronized (feeds) {
            Shared shared = feeds.get(key);
            // Those who share a feed that could not begin are told so; who comes later tries again.
            if (shared != null && !shared.feed.hasFailed()) {
                shared.viewers++;
                return shared;
            }
            begun = new Shared(new Feed(key, store, settings, clock));
            begun.viewers = 1;
            feeds.put(key, begun);
        }
        try {
            begun.feed.start(bell);
        } catch (RuntimeException e) {
            release(key, begun);
            throw e;
        }
        return begun;
    }

    private void release(ExecutionKey key, Shared shared) {
        synchronized (feeds) {
            if (--shared.viewers > 0) {
                return;
            }
            feeds.remove(key, shared);
        }
        shared.feed.close();
    }
}
