package dev.runcast.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.runcast.benchmarks.rival.MinimalAggregate;
import dev.runcast.mergestream.MergeStreamApplication;
import dev.runcast.topics.Topic;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;

/** How fast the merge catches up with a log. */
final class MergeRow implements Row {
    private static final String COUNTS = "bench.counts";
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** The drain is timed from here to its end: what comes before is the start of the threads. */
    private static final double TIMED_FROM = 0.2;

    @Override
    public String name() {
        return "merge";
    }

    @Override
    public String about() {
        return "drain of the merge, exactly once, 1 thread, beside a minimal Kafka Streams aggregate";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        FilledLog batches = bench.batches();
        try (FilledLog singles =
                new FilledLog(bench.newFolder("kafka"), bench.scale().mergedSingly(), 1)) {
            bench.say("wrote a log of %,d updates, 1 in a record", singles.updates());
            create(singles);
            Duel batched = new Duel();
            Duel single = new Duel();
            for (int round = 0; round <= bench.scale().rounds(); round++) {
                Drain rival = aggregate(bench, singles);
                Drain ofBatches = merge(bench, batches);
                Drain ofSingles = merge(bench, singles);
                bench.say(
                        "merge: round %d of %d%s: batches of 20 %s, single %s, aggregate %s",
                        round, bench.scale().rounds(), round == 0 ? " (warming up)" : "", ofBatches, ofSingles, rival);
                if (round > 0) {
                    batched.add(ofBatches.perSecond, rival.perSecond);
                    single.add(ofSingles.perSecond, rival.perSecond);
                }
            }
            String how = "; exactly once, 1 thread, commit 1 s, 4 partitions; beside it a DSL aggregate that counts the"
                    + " same updates, one a record, in a value of 500 bytes, with the same client settings. Brokers and"
                    + " both in this process.";
            return List.of(
                    new Figure(
                            name(),
                            "merge drain, batches of 20",
                            Unit.PER_SECOND,
                            batched.ours(),
                            batched.rival(),
                            batched.ratio(),
                            List.of(Goal.ratioAtLeast(2)),
                            "%,d updates of executions of 1,000, 20 in a record".formatted(batches.updates()) + how),
                    new Figure(
                            name(),
                            "merge drain, 1 update a batch",
                            Unit.PER_SECOND,
                            single.ours(),
                            single.rival(),
                            single.ratio(),
                            List.of(Goal.ratioAtLeast(0.5)),
                            "%,d updates of executions of 1,000, 1 in a record".formatted(singles.updates()) + how));
        }
    }

    /**
     * How fast one was.
     *
     * @param processorMicros for an update, of all threads of this process: the broker's and the clients' too
     */
    private record Drain(double perSecond, double processorMicros) {
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%,.0f/s (%.1f µs of processor time each)", perSecond, processorMicros);
        }
    }

    private static Drain merge(Workbench bench, FilledLog log) throws Exception {
        Path state = bench.newFolder("state");
        var application = MergeStreamApplication.builder()
                .run(
                        "--runcast.kafka.bootstrap-servers=" + log.clients().bootstrapServers(),
                        "--runcast.merge.application-id=bench-merge-" + System.nanoTime(),
                        "--runcast.merge.threads=1",
                        "--runcast.merge.state-directory=" + state,
                        "--runcast.merge.watchdog.stalled-after=10m",
                        "--spring.main.web-application-type=none");
        try (application) {
            List<Counter> outcomes = List.copyOf(application
                    .getBean(MeterRegistry.class)
                    .find("runcast.merge.updates")
                    .counters());
            Drain rate = drain(log.updates(), () ->
                    (long) outcomes.stream().mapToDouble(Counter::count).sum());
            long applied = (long) outcomes.stream()
                    .filter(counter -> "applied".equals(counter.getId().getTag("outcome")))
                    .mapToDouble(Counter::count)
                    .sum();
            if (applied < log.updates()) {
                throw new IllegalStateException(
                        "applied: %,d of %,d updates (expected: all)".formatted(applied, log.updates()));
            }
            return rate;
        } finally {
            Workbench.delete(state);
        }
    }

    private static Drain aggregate(Workbench bench, FilledLog log) throws Exception {
        Path state = bench.newFolder("state");
        try (MinimalAggregate aggregate = new MinimalAggregate(
                log.clients(), "bench-aggregate-" + System.nanoTime(), Topic.UPDATES.topicName(), COUNTS, state)) {
            return drain(log.records(), aggregate::counted);
        } finally {
            Workbench.delete(state);
        }
    }

    private static Drain drain(long all, LongSupplier done) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        long from = Math.round(all * TIMED_FROM);
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long first = 0;
        long began = 0;
        long used = 0;
        while (true) {
            long now = System.nanoTime();
            long count = done.getAsLong();
            if (began == 0 && count >= from) {
                first = count;
                began = now;
                used = system.getProcessCpuTime();
            }
            if (count >= all) {
                double updates = Math.max(1, count - first);
                return new Drain(
                        updates / (Math.max(1, now - began) / 1e9),
                        (system.getProcessCpuTime() - used) / 1000.0 / updates);
            }
            if (now - deadline > 0) {
                throw new IllegalStateException(
                        "drained %,d of %,d updates within %s (expected: all)".formatted(count, all, PATIENCE));
            }
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    private static void create(FilledLog log) throws InterruptedException, ExecutionException {
        try (Admin admin = Admin.create(log.clients().admin("bench"))) {
            admin.createTopics(List.of(new NewTopic(COUNTS, 4, (short) 1)))
                    .all()
                    .get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(COUNTS + " cannot be created: " + e.getCause(), e);
        }
    }
}
