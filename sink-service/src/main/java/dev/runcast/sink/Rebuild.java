package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.sink.Finding.Verdict;
import dev.runcast.store.ExecutionStore;
import dev.runcast.topics.ClientSettings;
import dev.runcast.v1.RejectedUpdate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Makes the store again from the log of updates, or proves that it is what the log makes of it.
 *
 * <p>How: the whole log is merged again into a {@link Shadow}, a version and a digest for each execution. Then each
 * stored execution is read: its history is held against the digest, and its header, entries and texts against the view
 * that this history builds. So texts are in memory for a few executions at a time. Where a digest differs, the log is
 * read once more and the two histories are compared change by change, in canonical form. What is to be replaced is
 * taken out and written from one more reading.
 *
 * <p>May compare while the sink writes: an execution that moves is read again, and one that the sink has not brought
 * to the log's version yet is waited for. May replace only while nobody else writes; see {@link SinkGroup}.
 */
public final class Rebuild {
    private final ClientSettings kafka;
    private final ExecutionStore store;
    private final Duration patience;
    private final InstantSource clock;

    /**
     * @param kafka where the log is
     * @param patience how long to wait, once the log is read, for a sink that has not written everything yet; zero when
     *     none runs
     */
    public Rebuild(ClientSettings kafka, ExecutionStore store, Duration patience) {
        this(kafka, store, patience, InstantSource.system());
    }

    Rebuild(ClientSettings kafka, ExecutionStore store, Duration patience, InstantSource clock) {
        this.kafka = kafka;
        this.store = store;
        this.patience = patience;
        this.clock = clock;
    }

    /** What a rebuild does, in this order; the last two only when there is something to do. */
    public enum Step {
        /** Merging the log again; counts its records. */
        FOLD,
        /** Reading the store; counts executions. */
        COMPARE,
        /** Comparing histories whose digests differ; counts the log's records. */
        EXPLAIN,
        /** Writing; counts the log's records. */
        REPLACE
    }

    /** Is told twice a second, on a thread of its own, and at the end of each step, how far it is. */
    public interface Watcher {
        /** @param all how much there is to do in this step */
        void reached(Step step, long done, long all);
    }

    /**
     * Compares and changes nothing. Blocks.
     *
     * @throws RebuildException when there is no log, or it holds rules that this build does not know
     * @throws RuntimeException of Kafka's or the store's client when one of them cannot be reached
     */
    public RebuildReport verify(Watcher watcher) {
        Run run = new Run(watcher);
        run.compare(rejected -> {});
        return run.report();
    }

    /**
     * Compares, and replaces what differs, is missing or behind. Blocks. If it is broken off it must be run again
     * before the sink goes on.
     *
     * @throws RebuildException as above, and when the log's beginning has been deleted: the rest makes other executions
     *     than there were
     * @throws RuntimeException of Kafka's or the store's client when one of them cannot be reached
     */
    public RebuildReport replace(Watcher watcher) {
        store.prepare().block();
        Run run = new Run(watcher);
        run.requireWholeLog();
        RejectionWriter rejections = new RejectionWriter(store, clock);
        if (run.stored.isEmpty()) {
            // Nothing to compare with, so that one reading is enough.
            store.removeHeadless().block();
            run.replaceAll(rejections);
        } else {
            run.compare(rejections);
            run.replaceFound();
        }
        rejections.flush();
        return run.report();
    }

    /** One rebuild on its way. */
    private final class Run {
        private final long started = System.nanoTime();
        private final Watcher watcher;
        /** Read before it is known where the log ends: all of this is in the log by then. */
        private final Set<ExecutionKey> stored;

        private final UpdateLog log;
        private final ConcurrentHashMap<ExecutionKey, Shadow.Of> shadow = new ConcurrentHashMap<>();
        private final List<Finding> findings = new ArrayList<>();
        private long equal;
        private PartitionFold.Counts folded = new PartitionFold.Counts();
        private Duration foldTime = Duration.ZERO;
        private long replaced;

        Run(Watcher watcher) {
            this.watcher = watcher;
            this.stored =
                    new HashSet<>(store.keys().collectList().blockOptional().orElse(List.of()));
            this.log = UpdateLog.now(kafka);
        }

        void requireWholeLog() {
            for (UpdateLog.Extent extent : log.extents()) {
                if (extent.begin() > 0) {
                    throw new RebuildException(
                            "%s begins at offset %d (expected: 0, since only the whole log makes the store)"
                                    .formatted(extent.partition(), extent.begin()));
                }
            }
        }

        void compare(Consumer<RejectedUpdate> rejections) {
            long begun = System.nanoTime();
            folded = read(Step.FOLD, () -> new LogShadow(shadow, rejections));
            foldTime = Duration.ofNanos(System.nanoTime() - begun);
            AtomicLong done = new AtomicLong();
            Map<ExecutionKey, StoredExecution> found = new ConcurrentHashMap<>();
            Ticker.during(
                    () -> found.putAll(new StoreComparison(store, shadow, patience, done).run()),
                    () -> watcher.reached(Step.COMPARE, done.get(), shadow.size()));
            judge(found, differences(found));
            stored.stream()
                    .filter(key -> !shadow.containsKey(key))
                    .sorted()
                    .forEach(key -> findings.add(new Finding(key, Verdict.NOT_IN_LOG, 0, version(key), "")));
        }

        /** Where histories differ whose digests do. */
        private Map<ExecutionKey, String> differences(Map<ExecutionKey, StoredExecution> found) {
            Map<ExecutionKey, StoredExecution> open = new HashMap<>(found);
            open.values().removeIf(one -> one.history() || one.version() == 0);
            Map<ExecutionKey, String> differences = new ConcurrentHashMap<>();
            if (!open.isEmpty()) {
                read(Step.EXPLAIN, () -> new HistoryComparison(store, open, differences));
            }
            return differences;
        }

        private void judge(Map<ExecutionKey, StoredExecution> found, Map<ExecutionKey, String> differences) {
            found.keySet().stream().sorted().forEach(key -> {
                Finding finding = Finding.of(
                        key,
                        shadow.getOrDefault(key, new Shadow.Of()),
                        found.getOrDefault(key, StoredExecution.NONE),
                        differences.getOrDefault(key, ""));
                if (finding.verdict() == Verdict.EQUAL) {
                    equal++;
                } else {
                    findings.add(finding);
                }
            });
        }

        private long version(ExecutionKey key) {
            return store.versions(List.of(key)).blockOptional().orElse(Map.of()).getOrDefault(key, 0L);
        }

        void replaceFound() {
            Set<ExecutionKey> wanted = new HashSet<>();
            for (Finding finding : findings) {
                if (finding.verdict() != Verdict.NOT_IN_LOG) {
                    wanted.add(finding.key());
                }
            }
            if (!wanted.isEmpty()) {
                AtomicLong count = new AtomicLong();
                read(Step.REPLACE, () -> new Replacement(store, wanted::contains, false, rejected -> {}, count));
                replaced = count.get();
            }
        }

        /** Writes everything that the log makes into a store that has nothing. */
        void replaceAll(Consumer<RejectedUpdate> rejections) {
            long begun = System.nanoTime();
            AtomicLong count = new AtomicLong();
            folded = read(Step.REPLACE, () -> new Replacement(store, key -> true, true, rejections, count));
            foldTime = Duration.ofNanos(System.nanoTime() - begun);
            replaced = count.get();
        }

        private PartitionFold.Counts read(Step step, Supplier<PartitionFold.Listener> listeners) {
            PartitionFold.Counts counts = new PartitionFold.Counts();
            Ticker.during(
                    () -> log.read(partition -> new PartitionFold(listeners.get(), counts, clock)),
                    () -> watcher.reached(step, counts.records.get(), log.records()));
            return counts;
        }

        RebuildReport report() {
            return new RebuildReport(
                    folded.records.get(),
                    folded.updates.get(),
                    stored.isEmpty() && shadow.isEmpty() ? replaced : shadow.size(),
                    equal,
                    findings,
                    replaced,
                    foldTime,
                    Duration.ofNanos(System.nanoTime() - started));
        }
    }
}
