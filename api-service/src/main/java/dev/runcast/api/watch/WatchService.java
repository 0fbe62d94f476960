package dev.runcast.api.watch;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Execution;
import dev.runcast.v1.SnapshotReason;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.SignalType;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;

/**
 * Lets viewers watch executions, live and to their end. Thread-safe.
 *
 * <p>How: all viewers of an execution share one {@link Feed}, which lives as long as it has viewers. A {@link Viewer}
 * goes through stages: a snapshot of what is stored, or the history since its cursor, then the feed's ring. The feed
 * listens before any viewer reads the store, so nothing lies between the two; versions are consecutive, so what is
 * lost or repeated shows. That the run is over is taken from the store alone, never from the bell. That it has begun may
 * be taken from the bell, for viewers who wait for that: the store has it up to a commit of the merge later.
 */
public final class WatchService implements AutoCloseable {
    /** How long after an execution has begun its feed is kept for a viewer who waited for it. */
    private static final Duration HAND_OVER = Duration.ofSeconds(1);

    private final ExecutionStore store;
    private final Headers headers;
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
     * A viewer's place at a feed.
     *
     * @param ready see {@link Beginning#join}
     */
    private record Place(Shared shared, Mono<Boolean> ready) {}

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
        this.headers = new Headers(store, settings, Schedulers.parallel());
        this.bell = bell;
        this.settings = settings;
        this.clock = clock;
    }

    /**
     * Looks whether an execution can be watched.
     *
     * @param cursor of the last frame seen; empty to begin with the present state
     * @param beginWithin how long an execution that is not there yet is waited for; of no effect with a cursor
     * @return when the execution is there; fails with NOT_FOUND, INVALID for a cursor that is not one,
     *     STORE_UNAVAILABLE, or DRAINING
     */
    public Mono<Watch> open(ExecutionKey key, String cursor, Duration beginWithin) {
        return Mono.defer(() -> {
            Cursor seen = cursor.isEmpty() ? null : Cursor.decode(key, cursor);
            return Mono.zip(headers.now(key), store.generation())
                    .timeout(settings.storeTimeout())
                    .onErrorMap(StoreFailures::said)
                    .flatMap(found -> found.getT1()
                            .map(execution -> Mono.just(watch(key, seen, execution, found.getT2())))
                            .orElseGet(() -> await(key, seen, patience(seen, found.getT2(), beginWithin))));
        });
    }

    private Watch watch(ExecutionKey key, @Nullable Cursor seen, Execution execution, String storeName) {
        if (seen == null) {
            return new Watch(false, anew(key, SnapshotReason.SNAPSHOT_REASON_INITIAL, Duration.ZERO));
        }
        if (!seen.generation().equals(Cursor.generation(storeName, execution))) {
            return new Watch(false, anew(key, SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED, Duration.ZERO));
        }
        boolean atEnd = FeedState.isFinal(execution) && seen.version() == execution.getVersion();
        return new Watch(atEnd, after(key, seen, Duration.ZERO));
    }

    /** Whoever saw an execution begin before the store had it may come back before the store has it. */
    private Duration patience(@Nullable Cursor seen, String storeName, Duration beginWithin) {
        if (seen == null) {
            return beginWithin;
        }
        return seen.isOf(storeName, clock.instant().minus(settings.patience())) ? settings.patience() : Duration.ZERO;
    }

    /** Waits until an execution is there. */
    private Mono<Watch> await(ExecutionKey key, @Nullable Cursor seen, Duration patience) {
        if (patience.isZero()) {
            return Mono.error(Failures.noExecution(key.executionId()));
        }
        Watch watch = new Watch(
                false,
                seen == null
                        ? anew(key, SnapshotReason.SNAPSHOT_REASON_INITIAL, patience)
                        : after(key, seen, patience));
        return Mono.defer(() -> {
                    Place place = acquire(key, true);
                    return ready(key, place, patience).doFinally(end -> {
                        if (end == SignalType.ON_COMPLETE) {
                            handOver(key, place.shared());
                        } else {
                            release(key, place.shared(), true);
                        }
                    });
                })
                .takeUntilOther(closing.asMono())
                .switchIfEmpty(Mono.error(WatchService::draining))
                .thenReturn(watch);
    }

    /** Keeps a feed until its viewer has had time to take it up: what rings meanwhile is in its ring and nowhere else. */
    private void handOver(ExecutionKey key, Shared shared) {
        Mono.delay(HAND_OVER)
                .takeUntilOther(closing.asMono())
                .doFinally(end -> release(key, shared, true))
                .subscribe();
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

    private Flux<Frame> anew(ExecutionKey key, SnapshotReason reason, Duration patience) {
        return on(key, patience, feed -> Viewer.anew(key, store, settings, feed, reason));
    }

    private Flux<Frame> after(ExecutionKey key, Cursor seen, Duration patience) {
        return on(
                key,
                patience,
                feed -> feed.generation().equals(seen.generation())
                        ? Viewer.after(key, store, settings, feed, seen.version())
                        : Viewer.anew(key, store, settings, feed, SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED));
    }

    private Flux<Frame> on(ExecutionKey key, Duration patience, Function<Feed, Viewer> viewer) {
        boolean waits = !patience.isZero();
        return Flux.defer(() -> {
            AtomicBoolean ended = new AtomicBoolean();
            return Flux.using(
                            () -> acquire(key, waits),
                            place -> ready(key, place, patience)
                                    .thenMany(Flux.defer(() ->
                                            viewer.apply(place.shared().feed).frames())),
                            place -> release(key, place.shared(), waits))
                    .doOnComplete(() -> ended.set(true))
                    // Completing cancels what runs, which an error from here would not.
                    .takeUntilOther(closing.asMono())
                    .concatWith(Mono.defer(() -> ended.get() ? Mono.empty() : Mono.error(WatchService::draining)));
        });
    }

    private static Mono<Boolean> ready(ExecutionKey key, Place place, Duration patience) {
        return patience.isZero()
                ? place.ready()
                : place.ready().timeout(patience, Mono.error(() -> Failures.noExecution(key.executionId())));
    }

    private static DoorException draining() {
        return Failures.of(Reason.DRAINING, "this instance stops (expected: watch again with the last cursor)");
    }

    private Place acquire(ExecutionKey key, boolean waits) {
        Shared shared;
        Mono<Boolean> ready;
        boolean isNew = false;
        synchronized (feeds) {
            shared = feeds.get(key);
            ready = shared == null ? null : shared.feed.beginning().join(waits);
            // Those who share a feed that could not begin are told so; who comes later tries again.
            if (shared == null || ready == null) {
                isNew = true;
                shared = new Shared(new Feed(key, store, headers, settings, clock, Schedulers.parallel()));
                ready = Objects.requireNonNull(shared.feed.beginning().join(waits), "a new feed has not failed");
                feeds.put(key, shared);
            }
            shared.viewers++;
        }
        if (!isNew) {
            shared.feed.hurry();
            return new Place(shared, ready);
        }
        try {
            shared.feed.start(bell);
        } catch (RuntimeException e) {
            release(key, shared, waits);
            throw e;
        }
        return new Place(shared, ready);
    }

    private void release(ExecutionKey key, Shared shared, boolean waits) {
        synchronized (feeds) {
            shared.feed.beginning().leave(waits);
            if (--shared.viewers > 0) {
                return;
            }
            feeds.remove(key, shared);
        }
        shared.feed.close();
    }
}
