package dev.runcast.api.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.api.Run;
import dev.runcast.store.InMemoryChangeBell;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.v1.SnapshotReason;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.WatchExecutionResponse.FrameCase;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

class FeedTest {
    private static final Duration POLL = Duration.ofMillis(20);
    private static final WatchSettings SETTINGS =
            new WatchSettings(POLL, Duration.ofMinutes(10), 64, 1024 * 1024, Duration.ofSeconds(10));

    private final InMemoryChangeBell bell = new InMemoryChangeBell();
    private final InMemoryExecutionStore store = new InMemoryExecutionStore();
    private final Run run = new Run("acme", "run-1").message("m1", "Once");

    /** As when whoever schedules loses its core right behind it: what comes soon has run when it goes on. */
    private static final class Hasty implements Scheduler {
        private final Scheduler others = Schedulers.parallel();

        @Override
        public Disposable schedule(Runnable task) {
            return others.schedule(task);
        }

        @Override
        public Disposable schedule(Runnable task, long delay, TimeUnit unit) {
            if (unit.toMillis(delay) < POLL.toMillis() / 2) {
                task.run();
                return Disposables.disposed();
            }
            return others.schedule(task, delay, unit);
        }

        @Override
        public Disposable schedulePeriodically(Runnable task, long first, long period, TimeUnit unit) {
            return others.schedulePeriodically(task, first, period, unit);
        }

        @Override
        public Worker createWorker() {
            return others.createWorker();
        }
    }

    /** A viewer of its own kind, at a version. */
    private static final class At implements Feed.Listener {
        final AtomicLong version;

        At(long version) {
            this.version = new AtomicLong(version);
        }

        @Override
        public void wake() {}

        @Override
        public long keepAfter() {
            return version.get();
        }
    }

    private Feed feed(Scheduler timer) {
        Feed feed = new Feed(
                run.key(), store, new Headers(store, SETTINGS, timer), SETTINGS, InstantSource.system(), timer);
        feed.start(bell);
        return feed;
    }

    @Test
    void lookThatIsFasterThanWhoeverPutItOffIsFollowedByTheNext() {
        run.store(store, 1);
        Feed feed = feed(new Hasty());
        await().until(() -> feed.storedVersion() == 2);
        run.text("m1", " upon").store(store, 3);
        await().until(() -> feed.storedVersion() == 3);
        feed.close();
    }

    /** Between the end of one look and the beginning of the next there is a moment in which a viewer was forgotten. */
    @Test
    void viewerIsToldWhatALookFoundThoughAnotherLookBeginsThen() throws InterruptedException {
        run.store(store, 1);
        for (int round = 0; round < 5_000; round++) {
            Feed feed = new Feed(
                    run.key(),
                    store,
                    new Headers(store, SETTINGS, Schedulers.parallel()),
                    SETTINGS,
                    InstantSource.system(),
                    Schedulers.parallel());
            CountDownLatch told = new CountDownLatch(1);
            Objects.requireNonNull(feed.beginning().join(false)).subscribe(begun -> told.countDown());
            List<Thread> hurried = Stream.generate(() -> new Thread(() -> {
                        while (told.getCount() > 0) {
                            feed.hurry();
                        }
                    }))
                    .limit(3)
                    .toList();
            hurried.forEach(Thread::start);
            assertThat(told.await(5, TimeUnit.SECONDS))
                    .describedAs("round %d", round)
                    .isTrue();
            for (Thread thread : hurried) {
                thread.join();
            }
            feed.close();
        }
    }

    @Test
    void whatEverybodyHasSeenAndTheStoreHasIsLetGo() {
        run.store(store, 1);
        Feed feed = feed(Schedulers.parallel());
        await().until(() -> feed.storedVersion() == 2);
        At quick = new At(8);
        At slow = new At(4);
        feed.add(quick);
        feed.add(slow);
        run.grow("m1", 5, " more").ring(bell, 3, 7).store(store, 3, 6);
        await().until(() -> feed.base() == 4);
        slow.version.set(7);
        // The bell rang for 7, and the store does not have it.
        await().until(() -> feed.base() == 6);
        feed.remove(slow);
        run.store(store, 7);
        await().until(() -> feed.base() == 7);
        feed.close();
    }

    @Test
    void viewerWhoseSnapshotTakesLongIsGivenWhatItMissedInOne() {
        run.store(store, 1);
        Feed feed = feed(Schedulers.parallel());
        await().until(() -> feed.storedVersion() == 2);
        Viewer slow = Viewer.anew(run.key(), store, SETTINGS, feed, SnapshotReason.SNAPSHOT_REASON_INITIAL);
        Probe probe = Probe.demanding(slow.frames(), 0);
        await().until(() -> slow.keepAfter() == 2);
        run.grow("m1", 40, " more").ring(bell, 3, 42).store(store, 3);
        await().until(() -> feed.storedVersion() == 42);
        // Another look at least, which lets go of what nobody needs.
        run.text("m1", ".").store(store, 43);
        await().until(() -> feed.storedVersion() == 43);
        probe.request(Long.MAX_VALUE);
        probe.awaitVersion(43);
        WatchExecutionResponse folded = probe.messages(FrameCase.CHANGE).get(0);
        assertThat(folded.getChange().getFirstVersion()).isEqualTo(3);
        assertThat(folded.getChange().getVersion()).isGreaterThanOrEqualTo(42);
        assertThat(probe.messages(FrameCase.SNAPSHOT)).hasSize(1);
        probe.cancel();
        feed.close();
    }

    @Test
    void viewerForWhomTheFeedHasLetGoMeanwhileReadsTheHistory() {
        run.store(store, 1);
        Feed feed = feed(Schedulers.parallel());
        await().until(() -> feed.storedVersion() == 2);
        Viewer late = Viewer.after(run.key(), store, SETTINGS, feed, 3);
        run.grow("m1", 4, " more").ring(bell, 3, 6).store(store, 3);
        await().until(() -> feed.base() == 6);
        Probe probe = Probe.eager(late.frames()).awaitVersion(6);
        assertThat(probe.versions()).containsExactly(4L, 5L, 6L);
        assertThat(probe.messages(FrameCase.SNAPSHOT)).isEmpty();
        probe.cancel();
        feed.close();
    }
}
