package dev.runcast.api.watch;

import dev.runcast.doors.Failures;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.Ring;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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

/**
 * The news of one execution, for all its viewers at this instance: brings what bell and store say into a
 * {@link FeedState}, and calls the viewers when there may be something to take.
 *
 * <p>How: changes come from the bell, which may lose, repeat and fall silent. What lies between two of them is read from
 * the history, now and again, ever more seldom, until it is there. The store is looked at for the header as well: it
 * says whether the run has ended, and how far it could be read if the bell said nothing at all. When the store is away,
 * changes that follow one another go on.
 *
 * <p>An execution may be waited for before there is one. Then looks that find nothing do not end the feed, and it begins
 * with what comes first: the execution in the store, or its first change at the bell, which is up to a commit earlier.
 *
 * <p>Thread-safe: everything below {@code lock} is guarded by it, and nothing of ours is called while it is held but the
 * state, and viewers for what they need.
 */
final class Feed {
    private static final Logger log = LoggerFactory.getLogger(Feed.class);
    /** How many changes of the history come between two looks of the viewers. */
    private static final int WAKE_EVERY = 64;

    private final ExecutionKey key;
    private final ExecutionStore store;
    private final Headers headers;
    private final WatchSettings settings;
    private final InstantSource clock;
    private final Scheduler timer;
    private final Beginning beginning = new Beginning();
    private final Sinks.Empty<Void> closed = Sinks.empty();
    private final Disposable.Composite running = Disposables.composite();
    private final Newest nextLook;
    private final Newest nextFill;
    private final Set<Listener> viewers = ConcurrentHashMap.newKeySet();
    private final RingFold folds = new RingFold();

    private final Object lock = new Object();
    private final FeedState state;
    private boolean looking;
    /** Somebody wants a look that begins after this one. */
    private boolean lookAgain;
    /** A look is to come soon, which is not to be put off. */
    private boolean lookSoon;

    private boolean filling;
    private Duration fillDelay;
    private boolean storeAway;

    /** A viewer, from its beginning to its end. */
    interface Listener {
        /** There may be something to take. */
        void wake();

        /** The changes after this version are kept for it; {@link Long#MAX_VALUE} while it needs none. */
        long keepAfter();
    }

    Feed(
            ExecutionKey key,
            ExecutionStore store,
            Headers headers,
            WatchSettings settings,
            InstantSource clock,
            Scheduler timer) {
        this.timer = timer;
        this.nextLook = new Newest(timer, this::look);
        this.nextFill = new Newest(timer, this::fill);
        this.key = key;
        this.store = store;
        this.headers = headers;
        this.settings = settings;
        this.clock = clock;
        this.state = new FeedState(key, settings);
        this.fillDelay = shortDelay();
    }

    /** Begins to listen; once. */
    void start(ChangeBell bell) {
        running.add(nextLook);
        running.add(nextFill);
        running.add(bell.listen(key).subscribe(this::rang, failure -> log.error("bell of {} broke", key, failure)));
        // The subscription itself asks for the first look; a bell that is away must not keep anybody waiting.
        lookAfter(shortDelay());
        long tick = settings.bookmarkEvery().toMillis();
        running.add(timer.schedulePeriodically(this::tick, tick, tick, TimeUnit.MILLISECONDS));
    }

    /** Ends everything that runs for this feed. */
    void close() {
        running.dispose();
        closed.tryEmitEmpty();
    }

    /** Whether the execution is there, and who waits for it. */
    Beginning beginning() {
        return beginning;
    }

    /** Whoever joins while it is waited for may have read what the last look did not find. */
    void hurry() {
        boolean waiting;
        synchronized (lock) {
            waiting = !state.isOpen();
        }
        if (waiting) {
            look(true);
        }
    }

    /** The execution has begun, and the store has nothing of it yet. */
    boolean isAheadOfStore() {
        synchronized (lock) {
            return state.isAheadOfStore();
        }
    }

    /** The execution began and is nowhere any more: see {@link FeedState#isLost}. */
    boolean isLost() {
        synchronized (lock) {
            return state.isLost();
        }
    }

    /** The change that is the present state's beginning while the store has none; see {@link FeedState#first}. */
    @Nullable
    Change first() {
        synchronized (lock) {
            return state.first();
        }
    }

    /** The store's name, once ready. */
    String generation() {
        synchronized (lock) {
            return state.generation();
        }
    }

    /** How often the store was replaced by another. */
    int replacements() {
        synchronized (lock) {
            return state.replacements();
        }
    }

    /** The version before the oldest change that is still here. */
    long base() {
        synchronized (lock) {
            return state.base();
        }
    }

    /** The newest version that can be read from the store. */
    long storedVersion() {
        synchronized (lock) {
            return state.storedVersion();
        }
    }

    long ticks() {
        synchronized (lock) {
            return state.ticks();
        }
    }

    /** Calls a viewer whenever there may be something to take, and keeps what it needs, as far as the ring reaches. */
    void add(Listener viewer) {
        viewers.add(viewer);
    }

    void remove(Listener viewer) {
        viewers.remove(viewer);
    }

    /** Somebody has read the header: what it says is news here too. */
    void read(Execution execution) {
        synchronized (lock) {
            state.takeHeader(execution);
        }
        fill();
    }

    /** A frame for a change as it stands in the history. */
    Frame frame(Change change) {
        synchronized (lock) {
            return state.frame(change);
        }
    }

    /** What a live viewer does next; see {@link FeedState#next}. */
    Step next(long version, long since, long ticksSeen, int replacementsSeen) {
        List<Frame> missed;
        synchronized (lock) {
            missed = state.replacements() == replacementsSeen ? state.missed(version) : List.of();
            if (missed.isEmpty()) {
                return state.next(version, since, ticksSeen, replacementsSeen, clock.instant());
            }
        }
        Frame folded = folds.of(missed, this::frame);
        synchronized (lock) {
            return state.send(folded, folded.message().getChange().getVersion());
        }
    }

    private void rang(Ring news) {
        if (news instanceof Ring.Subscribed) {
            // A look that has begun may have read before anything was listened to.
            look(true);
            return;
        }
        boolean end;
        boolean open;
        synchronized (lock) {
            boolean endedBefore = state.ended();
            if (news instanceof Ring.Changes changes) {
                state.heard(changes.batch().getChangesList());
            } else if (news instanceof Ring.Fetch fetch) {
                state.heardOf(fetch.version());
            }
            end = state.ended() && !endedBefore;
            open = state.isOpen();
        }
        if (open) {
            beginning.begun();
        }
        wake();
        fill();
        // One that is waited for has begun, and its first change did not ring here.
        if (end || !open || news instanceof Ring.Fetch) {
            lookSoon();
        }
    }

    /** Reads what lies between from the history; again after a while when it is not all there yet. */
    private void fill() {
        long after;
        synchronized (lock) {
            if (filling || !state.isGap()) {
                return;
            }
            filling = true;
            after = state.head();
        }
        store.changes(key, after, Long.MAX_VALUE)
                .timeout(settings.storeTimeout())
                .takeUntilOther(closed.asMono())
                .buffer(WAKE_EVERY)
                .doOnNext(this::filled)
                .then()
                .subscribe(done -> {}, failure -> fillEnded(after), () -> fillEnded(after));
    }

    private void filled(List<Change> changes) {
        synchronized (lock) {
            changes.forEach(state::append);
        }
        wake();
    }

    private void fillEnded(long after) {
        Duration delay = null;
        synchronized (lock) {
            filling = false;
            state.takeHeld();
            // What never comes, such as a version that somebody made up, costs a read for each poll and no more.
            fillDelay = state.head() > after ? shortDelay() : shorter(fillDelay.multipliedBy(2), settings.pollEvery());
            if (state.isGap()) {
                delay = fillDelay;
            }
        }
        wake();
        if (delay != null) {
            nextFill.after(delay);
        }
    }

    private void look() {
        look(false);
    }

    private void look(boolean anew) {
        boolean urgent;
        synchronized (lock) {
            if (looking) {
                lookAgain |= anew;
                return;
            }
            looking = true;
            lookSoon = false;
            urgent = anew || lookAgain;
            lookAgain = false;
        }
        beginning.looking();
        (urgent ? headers.now(key) : headers.soon(key))
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

    private boolean isAsBefore(Optional<Execution> found) {
        synchronized (lock) {
            return found.isPresent() && !state.isAheadOfStore() && state.isAsBefore(found.get());
        }
    }

    private record Look(Optional<Execution> execution, String generation) {}

    private void looked(Look look) {
        boolean replaced = false;
        boolean open;
        boolean more;
        long before;
        synchronized (lock) {
            before = state.head();
            long storedBefore = state.isOpen() ? state.storedVersion() : -1;
            storeAway = false;
            if (look.execution().isPresent()) {
                replaced = state.looked(look.execution().get(), look.generation());
            } else {
                state.lookedInVain(look.generation());
            }
            // In the lock, so that whoever has been added and then reads the base knows what is kept for it.
            state.forget(viewers.stream().mapToLong(Listener::keepAfter).min().orElse(Long.MAX_VALUE));
            open = state.isOpen();
            more = replaced || state.storedVersion() > storedBefore;
        }
        if (replaced) {
            folds.forget();
            log.warn("the store of {} was replaced at version {}", key, before);
        }
        if (open) {
            beginning.begun();
        } else {
            beginning.missing(Failures.noExecution(key.executionId()), true);
        }
        synchronized (lock) {
            // Not before those are told who waited for this look: the next one begins with others.
            looking = false;
        }
        wake();
        if (more) {
            fill();
        }
        lookAfter(untilNextLook());
    }

    private void lookFailed(Throwable failure) {
        boolean first;
        boolean mayCome;
        synchronized (lock) {
            first = !storeAway;
            storeAway = true;
            state.lookFailed();
            mayCome = state.knowsStore();
        }
        if (first) {
            log.warn("the store does not answer about {}: {}", key, failure.toString());
        }
        beginning.missing(StoreFailures.said(failure), mayCome);
        boolean again;
        synchronized (lock) {
            looking = false;
            again = lookAgain;
        }
        lookAfter(again ? shortDelay() : settings.pollEvery());
    }

    private void lookSoon() {
        synchronized (lock) {
            if (lookSoon) {
                return;
            }
            lookSoon = true;
        }
        lookAfter(shortDelay());
    }

    private Duration untilNextLook() {
        synchronized (lock) {
            if (lookAgain) {
                return Duration.ZERO;
            }
            return lookSoon || state.awaitsEnd() ? shortDelay() : settings.pollEvery();
        }
    }

    /** Lets the next look begin to read by then: it may wait for others as long as the window is. */
    private void lookAfter(Duration delay) {
        Duration window = headers.window();
        nextLook.after(delay.compareTo(window) <= 0 ? Duration.ZERO : delay.minus(window));
    }

    private void tick() {
        synchronized (lock) {
            state.tick();
        }
        // Whoever is that slow is given what is newest by then.
        folds.forget();
        wake();
    }

    private void wake() {
        viewers.forEach(Listener::wake);
    }

    private Duration shortDelay() {
        Duration fifth = settings.pollEvery().dividedBy(5);
        return fifth.toMillis() < 1 ? Duration.ofMillis(1) : fifth;
    }

    private static Duration shorter(Duration one, Duration other) {
        return one.compareTo(other) < 0 ? one : other;
    }
}
