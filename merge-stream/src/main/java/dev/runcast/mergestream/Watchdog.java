package dev.runcast.mergestream;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.merge.Outcome;
import dev.runcast.mergestream.LogEnds.LogEnd;
import dev.runcast.mergestream.MergeStreamSettings.WatchdogSettings;
import dev.runcast.state.v1.Header;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Judges the silence of the runners of one partition. Not thread-safe: it belongs to the task's stream thread.
 *
 * <p>Silence is only known to whoever has heard everything. So time here is not the clock's, but {@code caughtUpAt}: the
 * moment at which the ends of the log were asked for, once everything below those ends has been processed. It does not
 * move while the brokers cannot be reached, while this instance lags, sleeps or restores; and when it moves again after
 * such a break, every execution gets its full time anew ({@code watchingSince}), for its runner could not be heard.
 * Times inside old records are never compared with the clock.
 *
 * <p>Deadlines are in memory. Each execution stands in the queue once, at the time of its next judgement; news only move
 * its own times, and when its place in the queue comes it is put back. So an update costs one look-up.
 */
final class Watchdog {
    private static final String PRINCIPAL = "watchdog";

    private final int partition;
    private final WatchdogSettings settings;
    private final long stalledAfter;
    private final long lostAfter;
    private final InstantSource clock;
    private final LogEnds ends;
    private final VerdictLog verdicts;
    private final MergeMetrics metrics;
    private final Map<ExecutionKey, Watch> watches = new HashMap<>();
    private final PriorityQueue<Turn> turns = new PriorityQueue<>((a, b) -> Long.compare(a.at, b.at));
    private final Set<Watch> revived = new LinkedHashSet<>();
    private long updatesProcessed;
    private long heartbeatsProcessed;
    private long caughtUpAt = Long.MIN_VALUE;
    private long watchingSince = Long.MIN_VALUE;

    private record Turn(long at, Watch watch) {}

    Watchdog(
            int partition,
            WatchdogSettings settings,
            InstantSource clock,
            LogEnds ends,
            VerdictLog verdicts,
            MergeMetrics metrics) {
        this.partition = partition;
        this.settings = settings;
        this.stalledAfter = settings.stalledAfter().toMillis();
        this.lostAfter = settings.lostAfter().toMillis();
        this.clock = clock;
        this.ends = ends;
        this.verdicts = verdicts;
        this.metrics = metrics;
        ends.watch(partition);
    }

    void close() {
        ends.forget(partition);
    }

    /** Takes up an execution that is found in the store when the task starts. */
    void found(Header header) {
        Execution execution = header.getExecution();
        if (execution.getVersion() > 0 && !SignalTombstones.isTerminal(execution.getPhase())) {
            long now = clock.millis();
            long updatedAt = Times.millis(execution.getUpdatedAt());
            begin(new Watch(execution, header.getHasWorkflow(), now, Math.min(now, updatedAt)), now);
        }
    }

    /** Hears a batch that has been merged. */
    void merged(UpdateBatch batch, MergeResult result) {
        Execution header = result.header();
        if (header == null || header.getVersion() == 0) {
            return;
        }
        ExecutionKey key = new ExecutionKey(header.getTenant(), header.getExecutionId());
        Watch watch = watches.get(key);
        if (SignalTombstones.isTerminal(header.getPhase())) {
            if (watch != null) {
                watch.ended();
                watches.remove(key);
                revived.remove(watch);
            }
            return;
        }
        long now = clock.millis();
        if (watch == null) {
            watch = new Watch(header, false, now, now);
            begin(watch, now);
        } else {
            watch.changed(header, now);
        }
        Execution row = result.row();
        if (row != null && row.hasSpec()) {
            watch.supervised(!row.getSpec().getWorkflowId().isEmpty());
        }
        if (batch.getWriter().getKind() == WriterKind.WRITER_KIND_SYSTEM) {
            watch.answered(refusedForGood(batch, result));
        } else if (isFromTheRun(batch.getWriter()) && watch.counts(batch.getEpoch())) {
            heard(watch, now);
        }
    }

    /** Hears a heartbeat. One of an execution that is not known, or of an attempt that is fenced, says nothing. */
    void heard(Heartbeat heartbeat) {
        Watch watch = watches.get(new ExecutionKey(heartbeat.getTenant(), heartbeat.getExecutionId()));
        if (watch != null && watch.counts(heartbeat.getEpoch())) {
            heard(watch, clock.millis());
        }
    }

    /** Everything of the updates below this offset has been processed. */
    void updatesProcessed(long nextOffset) {
        updatesProcessed = nextOffset;
    }

    /** Everything of the heartbeats below this offset has been processed. */
    void heartbeatsProcessed(long nextOffset) {
        heartbeatsProcessed = nextOffset;
    }

    /** Judges whoever's time has come. */
    void tick() {
        if (!settings.enabled()) {
            return;
        }
        LogEnd end = ends.newest(partition);
        if (end == null
                || end.askedAt() <= caughtUpAt
                || !end.updates().isReachedBy(updatesProcessed)
                || !end.heartbeats().isReachedBy(heartbeatsProcessed)) {
            return;
        }
        if (caughtUpAt == Long.MIN_VALUE || end.askedAt() - caughtUpAt > breakMillis()) {
            watchingSince = end.askedAt();
        }
        caughtUpAt = end.askedAt();
        revive();
        judge();
    }

    /** Two intervals may pass between two answers when all is well. */
    private long breakMillis() {
        return Math.max(stalledAfter / 2, 4 * settings.interval().toMillis());
    }

    private void begin(Watch watch, long now) {
        watches.put(watch.key, watch);
        turns.add(new Turn(now + stalledAfter, watch));
    }

    private void heard(Watch watch, long now) {
        watch.heard(now);
        if (watch.isStalled()) {
            revived.add(watch);
        }
    }

    private void revive() {
        for (Watch watch : revived) {
            // The merge may have taken it back by itself: an adoption does.
            if (watch.isStalled() && !watch.isEnded()) {
                say(watch, VerdictKind.VERDICT_KIND_LIVE);
            }
        }
        revived.clear();
    }

    private void judge() {
        while (!turns.isEmpty() && turns.peek().at <= caughtUpAt) {
            Watch watch = turns.poll().watch;
            if (watch.isEnded()) {
                continue;
            }
            VerdictKind kind = watch.judge(caughtUpAt, watchingSince, stalledAfter, lostAfter);
            if (kind != null) {
                say(watch, kind);
            }
            turns.add(new Turn(watch.nextJudgement(caughtUpAt, watchingSince, stalledAfter, lostAfter), watch));
        }
    }

    /** The request's name is the fact's, so that the same judgement by two instances, or made twice, is one. */
    private void say(Watch watch, VerdictKind kind) {
        long now = clock.millis();
        watch.awaitAnswer(now + stalledAfter);
        Verdict verdict = Verdict.newBuilder()
                .setKind(kind)
                .setEpoch(watch.epoch())
                .setAsOf(watch.version())
                .setReason(reason(kind))
                .build();
        verdicts.append(UpdateBatch.newBuilder()
                .setTenant(watch.key.tenant())
                .setExecutionId(watch.key.executionId())
                .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_SYSTEM))
                .setRequestId(word(kind) + "-" + watch.epoch() + "-" + watch.version())
                .addUpdates(
                        Update.newBuilder().setOccurredAt(Times.timestamp(now)).setVerdict(verdict))
                .setReceivedAt(Times.timestamp(now))
                .setRules(Merge.NEWEST_RULES)
                .setPrincipal(PRINCIPAL)
                .build());
        metrics.judged(kind);
    }

    private String reason(VerdictKind kind) {
        return switch (kind) {
            case VERDICT_KIND_STALLED -> "silent for " + settings.stalledAfter().toSeconds() + " s";
            case VERDICT_KIND_LOST -> "silent for " + settings.lostAfter().toSeconds() + " s";
            case VERDICT_KIND_LIVE -> "heard again";
            case VERDICT_KIND_UNSPECIFIED, UNRECOGNIZED -> "";
        };
    }

    private static String word(VerdictKind kind) {
        return switch (kind) {
            case VERDICT_KIND_STALLED -> "stalled";
            case VERDICT_KIND_LOST -> "lost";
            case VERDICT_KIND_LIVE -> "live";
            case VERDICT_KIND_UNSPECIFIED, UNRECOGNIZED -> "unknown";
        };
    }

    private static boolean isFromTheRun(Writer writer) {
        return writer.getKind() == WriterKind.WRITER_KIND_RUNNER || writer.getKind() == WriterKind.WRITER_KIND_WORKFLOW;
    }

    /** A verdict that came too late is judged anew; one that is refused for another reason would be refused again. */
    private static @Nullable VerdictKind refusedForGood(UpdateBatch batch, MergeResult result) {
        for (int i = 0; i < result.outcomes().size() && i < batch.getUpdatesCount(); i++) {
            if (!batch.getUpdates(i).hasVerdict()) {
                continue;
            }
            RejectionReason reason = RejectionReason.REJECTION_REASON_UNSPECIFIED;
            if (result.outcomes().get(i) instanceof Outcome.Applied applied) {
                reason = applied.change().getRequestOutcome().getRefused();
            } else if (result.outcomes().get(i) instanceof Outcome.Rejected rejected) {
                reason = rejected.reason();
            }
            if (reason != RejectionReason.REJECTION_REASON_UNSPECIFIED
                    && reason != RejectionReason.REJECTION_REASON_VERDICT_OUTDATED) {
                return batch.getUpdates(i).getVerdict().getKind();
            }
        }
        return null;
    }
}
