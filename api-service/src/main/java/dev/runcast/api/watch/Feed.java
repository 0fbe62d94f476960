package dev.runcast.api.watch;

import com.google.protobuf.Timestamp;
import dev.runcast.doors.Failures;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.Ring;
import dev.runcast.v1.Bookmark;
import dev.runcast.v1.Change;
import dev.runcast.v1.Done;
import dev.runcast.v1.Execution;
import dev.runcast.v1.WatchExecutionResponse;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

/**
 * The news of one execution, for all its viewers at this instance: a ring of its newest changes, without a hole.
 *
 * <p>How: changes come from the bell, which may lose, repeat and fall silent. One that follows {@code head} is taken;
 * one that does not is held, and what lies between is read from the history, now and at every poll until it is there.
 * The store is polled for the header as well: it says whether the run has ended, and how far it could be read if the
 * bell said nothing at all. When the store is away, changes that follow one another go on.
 *
 * <p>Thread-safe: everything below {@code lock} is guarded by it, and nothing of ours is called while it is held.
 */
final class Feed {
    private static final Logger log = LoggerFactory.getLogger(Feed.class);
    /** How many changes of the history come between two looks of the viewers. */
    private static final int WAKE_EVERY = 64;

    private final ExecutionKey key;
    private final ExecutionStore store;
    private final WatchSettings settings;
    private final InstantSource clock;
    private final Scheduler timer = Schedulers.parallel();
    private final Sinks.One<Boolean> ready = Sinks.one();
    private final Sinks.Empty<Void> closed = Sinks.empty();
    private final Disposable.Composite running = Disposables.composite();
    private final Disposable.Swap nextPoll = Disposables.swap();
    private final Disposable.Swap nextFill = Disposables.swap();
    private final Set<Runnable> viewers = ConcurrentHashMap.newKeySet();

    private final Object lock = new Object();
    private final ChangeRing ring;
    /** What came before what it follows. At most as much as the ring has. */
    private final NavigableMap<Long, Change> held = new TreeMap<>();

    private long heldBytes;
    /** There are changes up to here. */
    private long heardOf;

    private boolean open;
    private boolean polling;
    private boolean filling;
    private String generation = "";
    private Execution stored = Execution.getDefaultInstance();
    /** The phase as of {@code head}. */
    private boolean ended;

    private Timestamp newest = Timestamp.getDefaultInstance();
    private long headAtLastPoll;
    private boolean storeBehind;
    private boolean storeAway;
    private int replacements;
    private long ticks;
    private @Nullable Frame bookmark;

    Feed(ExecutionKey key, ExecutionStore store, WatchSettings settings, InstantSource clock) {
        this.key = key;
        this.store = store;
        this.settings = settings;
        this.clock = clock;
        this.ring = new ChangeRing(settings.ringChanges(), settings.ringBytes());
    }

    /** Begins to listen; once. */
    void start(ChangeBell bell) {
        running.add(nextPoll);
        running.add(nextFill);
        running.add(bell.listen(key).subscribe(this::rang, failure -> log.error("bell of {} broke", key, failure)));
        // The subscription itself asks for the first look; a bell that is away must not keep anybody waiting.
        pollAgainAfter(shortDelay());
        long tick = settings.bookmarkEvery().toMillis();
        running.add(timer.schedulePeriodically(this::tick, tick, tick, TimeUnit.MILLISECONDS));
    }

    /** Ends everything that runs for this feed. */
    void close() {
        running.dispose();
        closed.tryEmitEmpty();
        ready.tryEmitEmpty();
    }

    /** Completes when the store has been read once; fails when there is no such execution or no store. */
    Mono<Boolean> ready() {
        return ready.asMono();
    }

    /** The store's name, once ready. */
    String generation() {
        synchronized (lock) {
            return generation;
        }
    }

    /** How often the store was replaced by another. */
    int replacements() {
        synchronized (lock) {
            return replacements;
        }
    }

    /** The version before the oldest change that is still here. */
    long base() {
        synchronized (lock) {
            return ring.base();
        }
    }

    /** The newest version that can be read from the store. */
    long storedVersion() {
        synchronized (lock) {
            return stored.getVersion();
        }
    }

    long ticks() {
        synchronized (lock) {
            return ticks;
        }
    }

    /** Calls a viewer whenever there may be something to take. */
    void add(Runnable viewer) {
        viewers.add(viewer);
    }

    void remove(Runnable viewer) {
        viewers.remove(viewer);
    }

    /** Somebody has read the header: what it says is news here too. */
    void read(Execution execution) {
        boolean gap;
        synchronized (lock) {
            takeHeader(execution);
            gap = isGap();
        }
        if (gap) {
            fill();
        }
    }

    /** A frame for a change as it stands in the history. */
    Frame frame(Change change) {
        return new Frame(WatchExecutionResponse.newBuilder()
                .setChange(change)
                .setCursor(new Cursor(generation(), change.getVersion()).encode(key))
                .build());
    }

    /** What a live viewer that has seen everything up to a version does next. */
    Step next(long version, long ticksSeen, int replacementsSeen) {
        List<Frame> missed;
        synchronized (lock) {
            if (replacements != replacementsSeen) {
                return new Step.Replaced();
            }
            if (version < ring.base()) {
                return new Step.FellOut();
            }
            if (version >= ring.head()) {
                return idle(version, ticksSeen);
            }
            if (!ring.isFarBehind(version)) {
                return send(ring.get(version + 1), version + 1);
            }
            missed = ring.after(version);
        }
        Frame folded = frame(fold(missed));
        return send(folded, folded.message().getChange().getVersion());
    }

    /** What is too large for a frame is seen in the state after it, once the store has that. */
    private Step send(Frame frame, long version) {
        if (frame.message().getSerializedSize() <= Frame.MAX_BYTES) {
            return new Step.Send(frame, version);
        }
        return storedVersion() >= version ? new Step.TooLarge() : new Step.Wait();
    }

    private Step idle(long version, long ticksSeen) {
        if (isFinal(stored) && stored.getVersion() == version && ring.head() <= version) {
            return new Step.End(new Frame(WatchExecutionResponse.newBuilder()
                    .setDone(Done.newBuilder().setPhase(stored.getPhase()).setVersion(version))
                    .setCursor(new Cursor(generation, version).encode(key))
                    .build()));
        }
        if (ticks == ticksSeen) {
            return new Step.Wait();
        }
        Frame shared = bookmark;
        if (shared == null || shared.message().getBookmark().getVersion() != version) {
            shared = new Frame(WatchExecutionResponse.newBuilder()
                    .setBookmark(Bookmark.newBuilder()
                            .setVersion(version)
                            .setNewsAge(age())
                            .setStoreBehind(storeBehind))
                    .setCursor(new Cursor(generation, version).encode(key))
                    .build());
            bookmark = shared;
        }
        return new Step.Remind(shared, ticks);
    }

    /** Pair by pair, so that each change is copied a dozen times and not a thousand. */
    private static Change fold(List<Frame> frames) {
        List<Change> changes = new ArrayList<>(frames.size());
        frames.forEach(frame -> changes.add(frame.message().getChange()));
        // The first of each pair lies `step` before the second; what they make takes the first one's place.
        for (int step = 1; step < changes.size(); step *= 2) {
            for (int i = 0; i + step < changes.size(); i += 2 * step) {
                changes.set(i, ExecutionView.fold(changes.get(i), changes.get(i + step)));
            }
        }
        return changes.get(0);
    }

    private void rang(Ring news) {
        if (news instanceof Ring.Subscribed) {
            poll();
            return;
        }
        boolean gap;
        boolean end;
        synchronized (lock) {
            boolean endedBefore = ended;
            if (news instanceof Ring.Changes changes) {
                changes.batch().getChangesList().forEach(this::hold);
                takeHeld();
            } else if (news instanceof Ring.Fetch fetch) {
                heardOf = Math.max(heardOf, fetch.version());
            }
            gap = isGap();
            end = ended && !endedBefore;
        }
        wake();
        if (gap) {
            fill();
        }
        if (end || news instanceof Ring.Fetch) {
            pollAgainAfter(shortDelay());
        }
    }

    private void hold(Change change) {
        long version = change.getVersion();
        heardOf = Math.max(heardOf, version);
        // One that somebody folded is of no use here; the history has it whole.
        if (version <= ring.head() && open || change.getFirstVersion() != version || held.containsKey(version)) {
            return;
        }
        held.put(version, change);
        heldBytes += change.getSerializedSize();
        while (held.size() > 1 && (held.size() > settings.ringChanges() || heldBytes > settings.ringBytes())) {
            heldBytes -= held.pollFirstEntry().getValue().getSerializedSize();
        }
    }

    private void takeHeld() {
        if (!open) {
            return;
        }
        while (!held.isEmpty() && held.firstKey() <= ring.head() + 1) {
            Change change = held.pollFirstEntry().getValue();
            heldBytes -= change.getSerializedSize();
            append(change);
        }
    }

    private void append(Change change) {
        if (change.getVersion() != ring.head() + 1) {
            return;
        }
        ring.add(new Frame(WatchExecutionResponse.newBuilder()
                .setChange(change)
                .setCursor(new Cursor(generation, change.getVersion()).encode(key))
                .build()));
        newest = change.getReceivedAt();
        if (change.hasExecution()) {
            ended = isFinal(change.getExecution());
        }
    }

    private boolean isGap() {
        return open && heardOf > ring.head();
    }

    /** Reads what lies between from the history; again after a while when it is not all there yet. */
    private void fill() {
        long after;
        synchronized (lock) {
            if (filling || !isGap()) {
                return;
            }
            filling = true;
            after = ring.head();
        }
        store.changes(key, after, Long.MAX_VALUE)
                .timeout(settings.storeTimeout())
                .takeUntilOther(closed.asMono())
                .buffer(WAKE_EVERY)
                .doOnNext(this::filled)
                .then()
                .subscribe(done -> {}, this::fillEnded, () -> fillEnded(null));
    }

    private void filled(List<Change> changes) {
        synchronized (lock) {
            changes.forEach(this::append);
        }
        wake();
    }

    private void fillEnded(@Nullable Throwable failure) {
        boolean again;
        synchronized (lock) {
            filling = false;
            takeHeld();
            again = isGap();
        }
        wake();
        if (again) {
            Duration delay = failure == null ? shortDelay() : settings.pollEvery();
            nextFill.update(timer.schedule(this::fill, delay.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    private void poll() {
        synchronized (lock) {
            if (polling) {
                return;
            }
            polling = true;
        }
        store.execution(key)
                .map(Optional::of)
                .defaultIfEmpty(Optional.empty())
                .flatMap(found -> isAsBefore(found)
                        ? Mono.just(new Look(found, generation()))
                        : store.generation()
                                .map(name -> new Look(
                                        found,
                                        found.map(now -> Cursor.generation(name, now))
                                                .orElse(name))))
                .timeout(settings.storeTimeout())
                .takeUntilOther(closed.asMono())
                .subscribe(this::looked, this::lookFailed);
    }

    /** Only a store that knows less than before can be another one, and only what was made then the same execution. */
    private boolean isAsBefore(Optional<Execution> found) {
        synchronized (lock) {
            return open && found.isPresent() && found.get().getVersion() >= stored.getVersion() && isSame(found.get());
        }
    }

    private boolean isSame(Execution execution) {
        return execution.getCreatedAt().equals(stored.getCreatedAt());
    }

    private record Look(Optional<Execution> execution, String generation) {}

    private void looked(Look look) {
        boolean gap = false;
        boolean end = false;
        synchronized (lock) {
            polling = false;
            storeAway = false;
            if (look.execution().isPresent()) {
                Execution execution = look.execution().get();
                if (!open || !look.generation().equals(generation)) {
                    begin(execution, look.generation());
                }
                takeHeader(execution);
                storeBehind = execution.getVersion() < headAtLastPoll;
                headAtLastPoll = ring.head();
                gap = isGap();
                end = ended && stored.getVersion() < ring.head();
            }
        }
        if (look.execution().isPresent()) {
            ready.tryEmitValue(true);
        } else {
            ready.tryEmitError(Failures.noExecution(key.executionId()));
        }
        wake();
        if (gap) {
            fill();
        }
        pollAgainAfter(end ? shortDelay() : settings.pollEvery());
    }

    private void lookFailed(Throwable failure) {
        boolean first;
        synchronized (lock) {
            polling = false;
            first = !storeAway;
            storeAway = true;
            storeBehind = true;
        }
        if (first) {
            log.warn("the store does not answer about {}: {}", key, failure.toString());
        }
        ready.tryEmitError(StoreFailures.said(failure));
        pollAgainAfter(settings.pollEvery());
    }

    private void begin(Execution execution, String name) {
        if (open) {
            log.warn("the store of {} was replaced at version {}", key, ring.head());
            replacements++;
            heardOf = 0;
            held.clear();
            heldBytes = 0;
        }
        open = true;
        generation = name;
        stored = execution;
        newest = execution.getUpdatedAt();
        ended = isFinal(execution);
        headAtLastPoll = execution.getVersion();
        bookmark = null;
        ring.reset(execution.getVersion());
        takeHeld();
    }

    private void takeHeader(Execution execution) {
        if (open && execution.getVersion() >= stored.getVersion() && isSame(execution)) {
            stored = execution;
            heardOf = Math.max(heardOf, execution.getVersion());
        }
    }

    private void pollAgainAfter(Duration delay) {
        nextPoll.update(timer.schedule(this::poll, delay.toMillis(), TimeUnit.MILLISECONDS));
    }

    private void tick() {
        synchronized (lock) {
            ticks++;
            bookmark = null;
        }
        wake();
    }

    private void wake() {
        viewers.forEach(Runnable::run);
    }

    private com.google.protobuf.Duration age() {
        Duration age = Duration.between(Instant.ofEpochSecond(newest.getSeconds(), newest.getNanos()), clock.instant());
        Duration shown = age.isNegative() ? Duration.ZERO : age;
        return com.google.protobuf.Duration.newBuilder()
                .setSeconds(shown.getSeconds())
                .setNanos(shown.getNano())
                .build();
    }

    private Duration shortDelay() {
        Duration fifth = settings.pollEvery().dividedBy(5);
        return fifth.toMillis() < 1 ? Duration.ofMillis(1) : fifth;
    }

    static boolean isFinal(Execution execution) {
        return switch (execution.getPhase()) {
            case PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED -> true;
            default -> false;
        };
    }

    /** What a live viewer does next. */
    sealed interface Step {
        /** Sends a change, or several folded, and stands at this version. */
        record Send(Frame frame, long version) implements Step {}

        /** Sends a sign of life. */
        record Remind(Frame frame, long ticks) implements Step {}

        /** Sends the end, and ends. */
        record End(Frame frame) implements Step {}

        /** Has nothing to do until it is called. */
        record Wait() implements Step {}

        /** Needs the state anew: what it misses is no longer here. */
        record FellOut() implements Step {}

        /** Needs the state anew: what comes next does not fit into a frame. */
        record TooLarge() implements Step {}

        /** Needs the state anew: it is another store's. */
        record Replaced() implements Step {}
    }
}
