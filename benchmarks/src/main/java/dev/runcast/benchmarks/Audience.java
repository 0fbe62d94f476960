package dev.runcast.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Executions of one design, each with a viewer, and a runner that reports to them in turns at a fixed rate. What is
 * counted is the time from when an update was meant to be sent until its viewer has it, so that an update that could not
 * be sent in time counts as late too (no coordinated omission). Not thread-safe.
 */
final class Audience implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long MOST_MICROS = 120_000_000;

    private final Design design;
    private final List<String> ids;
    private final long epoch;
    private final Workload.Updates updates;
    private final List<Watcher> watchers = new ArrayList<>();
    private volatile Histogram micros = new ConcurrentHistogram(MOST_MICROS, 3);
    private volatile Schedule schedule = new Schedule(0, 0, Long.MAX_VALUE, 1, 1);
    private long reported;

    /** When each update is to be sent: batch n of execution e is number n × executions + e. */
    private record Schedule(long began, long nanosBetween, long firstSequence, int inBatch, int executions) {
        long intended(long sequence, int execution) {
            return began + ((sequence - firstSequence) / inBatch * executions + execution) * nanosBetween;
        }
    }

    /**
     * Opens the viewers.
     *
     * @param reported how many updates each of the executions has had; they are in the store
     */
    Audience(Design design, List<String> ids, long epoch, long reported) throws Exception {
        this(design, ids, epoch, reported, Workload::update);
    }

    private Audience(Design design, List<String> ids, long epoch, long reported, Workload.Updates updates)
            throws Exception {
        this.design = design;
        this.updates = updates;
        this.ids = ids;
        this.epoch = epoch;
        this.reported = reported;
        try {
            for (int i = 0; i < ids.size(); i++) {
                int execution = i;
                watchers.add(open(ids.get(i), version -> saw(execution, version)));
            }
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            for (Watcher watcher : watchers) {
                watcher.awaitOpen(deadline);
            }
        } catch (Exception e) {
            close();
            throw e;
        }
    }

    /** New executions of the design with their first update in the store. */
    static Audience begin(Design design, String prefix, int executions) throws Exception {
        return begin(design, prefix, executions, Workload::update);
    }

    /** The same with updates of another kind. */
    static Audience begin(Design design, String prefix, int executions, Workload.Updates updates) throws Exception {
        long epoch = System.currentTimeMillis();
        String run = Long.toString(System.nanoTime(), 36);
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < executions; i++) {
            ids.add(prefix + "-" + run + "-" + i);
        }
        Preload.run(design, ids, epoch, 1);
        return new Audience(design, ids, epoch, 1, updates);
    }

    private Watcher open(String id, java.util.function.LongConsumer seen) throws IOException {
        return new Watcher(design.viewers(), id, seen);
    }

    /**
     * Reports to all of them for a time, one update a batch, and waits until everything has been seen.
     *
     * @return the latencies in microseconds
     */
    Histogram watch(int perSecond, Duration time) throws InterruptedException {
        return watch(perSecond, 1, time);
    }

    /** The same with so many updates a batch. */
    Histogram watch(int perSecond, int inBatch, Duration time) throws InterruptedException {
        return watch(perSecond, inBatch, (int) (time.toNanos() / 1e9 * perSecond / inBatch / ids.size()));
    }

    /** The same with a number of batches for each. */
    Histogram watch(int perSecond, int inBatch, int batchesEach) throws InterruptedException {
        Histogram mine = new ConcurrentHistogram(MOST_MICROS, 3);
        micros = mine;
        long between = 1_000_000_000L * inBatch / perSecond;
        Schedule now = new Schedule(System.nanoTime() + 20_000_000, between, reported + 1, inBatch, ids.size());
        schedule = now;
        for (int round = 0; round < Math.max(1, batchesEach); round++) {
            for (int execution = 0; execution < ids.size(); execution++) {
                waitUntil(now.intended(reported + 1, execution));
                design.report(Workload.batch(updates, ids.get(execution), epoch, reported + 1, inBatch, execution));
            }
            reported += inBatch;
        }
        awaitSeen(reported);
        design.check();
        return mine;
    }

    private void awaitSeen(long version) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        for (int i = 0; i < watchers.size(); i++) {
            while (watchers.get(i).version() < version) {
                design.check();
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("%s: version %d was seen (expected: %d within %s)"
                            .formatted(ids.get(i), watchers.get(i).version(), version, PATIENCE));
                }
                Thread.sleep(5);
            }
        }
    }

    private void saw(int execution, long version) {
        Schedule now = schedule;
        if (version >= now.firstSequence()) {
            long nanos = System.nanoTime() - now.intended(version, execution);
            micros.recordValue(Math.min(MOST_MICROS, Math.max(0, nanos / 1000)));
        }
    }

    private static void waitUntil(long nanoTime) throws InterruptedException {
        for (long left = nanoTime - System.nanoTime(); left > 0; left = nanoTime - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    @Override
    public void close() {
        watchers.forEach(Watcher::close);
    }
}
