package dev.runcast.api.watch;

import static org.awaitility.Awaitility.await;

import dev.runcast.api.Run;
import dev.runcast.store.InMemoryChangeBell;
import dev.runcast.store.InMemoryExecutionStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.scheduler.Scheduler;
import reactor.core.scheduler.Schedulers;

class FeedTest {
    private static final Duration POLL = Duration.ofMillis(20);

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

    @Test
    void lookThatIsFasterThanWhoeverPutItOffIsFollowedByTheNext() {
        run.store(store, 1);
        WatchSettings settings =
                new WatchSettings(POLL, Duration.ofMinutes(10), 64, 1024 * 1024, Duration.ofSeconds(10));
        Scheduler timer = new Hasty();
        Headers headers = new Headers(store, settings, timer);
        Feed feed = new Feed(run.key(), store, headers, settings, InstantSource.system(), timer);
        feed.start(new InMemoryChangeBell());
        await().until(() -> feed.storedVersion() == 2);
        run.text("m1", " upon").store(store, 3);
        await().until(() -> feed.storedVersion() == 3);
        feed.close();
    }
}
