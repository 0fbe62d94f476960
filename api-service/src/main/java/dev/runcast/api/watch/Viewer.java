package dev.runcast.api.watch;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import dev.runcast.v1.SnapshotReason;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;

/**
 * One viewer on its way: it is given a snapshot, or catches up from the history, then lives on the feed, and goes back
 * to a snapshot when it falls out of it. Nothing is made for it before it asks.
 *
 * <p>Its fields change only while one of its stages runs, and stages follow one another.
 */
final class Viewer implements Feed.Listener {
    private enum Stage {
        SNAPSHOT,
        CATCH_UP,
        LIVE,
        ENDED
    }

    private final ExecutionKey key;
    private final ExecutionStore store;
    private final WatchSettings settings;
    private final Feed feed;

    private volatile Stage stage;
    private volatile SnapshotReason reason = SnapshotReason.SNAPSHOT_REASON_INITIAL;
    /** Up to where it has seen everything, or will when its snapshot is whole; the greatest while that is not known. */
    private volatile long version = Long.MAX_VALUE;

    private volatile @Nullable Live live;
    private volatile int replacements;
    private volatile boolean tooLarge;

    private Viewer(ExecutionKey key, ExecutionStore store, WatchSettings settings, Feed feed, Stage stage) {
        this.key = key;
        this.store = store;
        this.settings = settings;
        this.feed = feed;
        this.stage = stage;
    }

    /** One that begins with the present state. */
    static Viewer anew(
            ExecutionKey key, ExecutionStore store, WatchSettings settings, Feed feed, SnapshotReason reason) {
        Viewer viewer = new Viewer(key, store, settings, feed, Stage.SNAPSHOT);
        viewer.reason = reason;
        viewer.replacements = feed.replacements();
        return viewer;
    }

    /** One that goes on after a version. */
    static Viewer after(ExecutionKey key, ExecutionStore store, WatchSettings settings, Feed feed, long version) {
        Viewer viewer = new Viewer(key, store, settings, feed, Stage.LIVE);
        viewer.replacements = feed.replacements();
        viewer.version = version;
        return viewer;
    }

    /** Everything it is given; once. */
    Flux<Frame> frames() {
        return Flux.using(
                () -> {
                    feed.add(this);
                    if (stage != Stage.SNAPSHOT) {
                        goOnAfter(version);
                    }
                    return this;
                },
                viewer -> Flux.defer(this::stage).repeat(() -> stage != Stage.ENDED),
                feed::remove);
    }

    @Override
    public void wake() {
        Live now = live;
        if (now != null) {
            now.call();
        }
    }

    @Override
    public long keepAfter() {
        return version;
    }

    private Flux<Frame> stage() {
        if (stage != Stage.ENDED && feed.isLost()) {
            stage = Stage.ENDED;
            return Flux.error(lost());
        }
        return switch (stage) {
            case SNAPSHOT -> snapshot();
            case CATCH_UP -> catchUp();
            case LIVE ->
                Flux.from(subscriber -> {
                    Live now = new Live(Operators.toCoreSubscriber(subscriber));
                    live = now;
                    now.begin();
                });
            case ENDED -> Flux.empty();
        };
    }

    private void goOnAfter(long seen) {
        version = seen;
        stage = seen < feed.base() ? Stage.CATCH_UP : Stage.LIVE;
    }

    private void beginAnew(SnapshotReason why) {
        reason = why;
        version = Long.MAX_VALUE;
        stage = Stage.SNAPSHOT;
    }

    private Flux<Frame> snapshot() {
        replacements = feed.replacements();
        Change first = feed.first();
        if (first != null) {
            return Flux.fromIterable(
                            cutter(ExecutionView.EMPTY.apply(first).execution()).whole(first))
                    .doOnComplete(() -> goOnAfter(first.getVersion()));
        }
        return store.execution(key)
                .timeout(settings.storeTimeout())
                .switchIfEmpty(Mono.defer(this::notStored))
                .flatMapMany(execution -> {
                    version = execution.getVersion();
                    feed.read(execution);
                    SnapshotCutter cutter = cutter(execution);
                    return store.entries(execution, 0)
                            .concatMapIterable(cutter::add, 1)
                            .concatWith(Mono.fromSupplier(cutter::last))
                            .doOnComplete(() -> goOnAfter(execution.getVersion()));
                })
                .onErrorMap(StoreFailures::said);
    }

    private SnapshotCutter cutter(Execution execution) {
        return new SnapshotCutter(reason, execution, new Cursor(feed.generation(), execution.getVersion()).encode(key));
    }

    /** There is nothing to tell the state from: it comes with the store, or it never existed. */
    private Mono<Execution> notStored() {
        return feed.isAheadOfStore()
                ? Mono.<Execution>empty().delaySubscription(settings.pollEvery())
                : Mono.error(Failures.noExecution(key.executionId()));
    }

    private DoorException lost() {
        return Failures.of(
                Reason.STORE_UNAVAILABLE,
                "execution_id: %s began and is not in the store (expected: within %s; watch again with the last cursor)"
                        .formatted(key.executionId(), settings.patience()));
    }

    private Flux<Frame> catchUp() {
        long from = version;
        tooLarge = false;
        Flux<Frame> missed = store.changes(key, from, Long.MAX_VALUE)
                .takeWhile(this::follows)
                .takeWhile(this::fits)
                .map(feed::frame)
                .doOnNext(frame -> version = frame.message().getChange().getVersion())
                .takeUntil(frame -> version >= feed.base())
                .onErrorMap(StoreFailures::said);
        return missed.concatWith(Mono.defer(() -> caughtUp(from)));
    }

    private boolean follows(Change change) {
        return change.getVersion() == version + 1;
    }

    private boolean fits(Change change) {
        tooLarge = change.getSerializedSize() > Frame.MAX_BYTES;
        return !tooLarge;
    }

    private Mono<Frame> caughtUp(long from) {
        if (feed.replacements() != replacements) {
            beginAnew(SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED);
        } else if (tooLarge && feed.storedVersion() > version) {
            beginAnew(SnapshotReason.SNAPSHOT_REASON_LARGE);
        } else if (version == from && feed.storedVersion() > version) {
            // The header promises what the history does not have. A store that has lost something would give the same
            // snapshot again at once.
            boolean again = reason == SnapshotReason.SNAPSHOT_REASON_CURSOR_EXPIRED;
            beginAnew(SnapshotReason.SNAPSHOT_REASON_CURSOR_EXPIRED);
            if (again) {
                return Mono.<Frame>empty().delaySubscription(settings.pollEvery());
            }
        } else {
            goOnAfter(version);
            if (version == from && stage == Stage.CATCH_UP) {
                return Mono.<Frame>empty().delaySubscription(settings.pollEvery());
            }
        }
        return Mono.empty();
    }

    /** The live stage: takes from the feed whenever it is called and whenever it may. */
    private final class Live implements Subscription {
        private final CoreSubscriber<? super Frame> subscriber;
        private final AtomicLong requested = new AtomicLong();
        private final AtomicInteger calls = new AtomicInteger();

        private volatile boolean over;
        private final long since = feed.ticks();
        private long ticks = since;

        Live(CoreSubscriber<? super Frame> subscriber) {
            this.subscriber = subscriber;
        }

        void begin() {
            subscriber.onSubscribe(this);
            call();
        }

        @Override
        public void request(long count) {
            if (Operators.validate(count)) {
                requested.updateAndGet(before -> Operators.addCap(before, count));
                call();
            }
        }

        private void requestedOne() {
            requested.updateAndGet(left -> left == Long.MAX_VALUE ? left : left - 1);
        }

        @Override
        public void cancel() {
            over = true;
        }

        /** Whoever comes first works; the others only leave word that they called. */
        void call() {
            if (calls.getAndIncrement() != 0) {
                return;
            }
            int seen = 1;
            do {
                while (!over && requested.get() > 0 && takeOne()) {
                    // Each turn is one frame.
                }
                seen = calls.addAndGet(-seen);
            } while (seen != 0);
        }

        /** Whether there may be more. */
        private boolean takeOne() {
            Step step;
            try {
                step = feed.next(version, since, ticks, replacements);
            } catch (RuntimeException e) {
                end();
                stage = Stage.ENDED;
                subscriber.onError(e);
                return false;
            }
            if (step instanceof Step.Send send) {
                version = send.version();
                send(send.frame());
                return true;
            }
            if (step instanceof Step.Remind remind) {
                ticks = remind.ticks();
                send(remind.frame());
                return true;
            }
            if (step instanceof Step.Wait) {
                return false;
            }
            end();
            if (step instanceof Step.End last) {
                stage = Stage.ENDED;
                send(last.frame());
            } else if (!(step instanceof Step.Lost)) {
                beginAnew(reasonOf(step));
            }
            subscriber.onComplete();
            return false;
        }

        private static SnapshotReason reasonOf(Step step) {
            if (step instanceof Step.FellOut) {
                return SnapshotReason.SNAPSHOT_REASON_SLOW;
            }
            if (step instanceof Step.TooLarge) {
                return SnapshotReason.SNAPSHOT_REASON_LARGE;
            }
            return step instanceof Step.NeverCame
                    ? SnapshotReason.SNAPSHOT_REASON_CURSOR_EXPIRED
                    : SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED;
        }

        private void send(Frame frame) {
            requestedOne();
            subscriber.onNext(frame);
        }

        private void end() {
            over = true;
        }
    }

    /** For messages and tests. */
    @Override
    public String toString() {
        return "Viewer[%s at %d, %s]".formatted(key, version, stage);
    }
}
