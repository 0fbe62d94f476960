package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Update;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import dev.runcast.v1.WriterKind;
import dev.runcast.worker.bridge.LiveExecutions.Live;
import dev.runcast.worker.bridge.WorkflowStanding.Closed;
import dev.runcast.worker.bridge.WorkflowStanding.Running;
import dev.runcast.worker.supervise.KafkaLogActivities;
import dev.runcast.worker.supervise.UpdateAppender;
import dev.runcast.workflow.FailureDetail;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds executions that have not ended against their workflows, by the workflows' ids. Where the workflow has closed, or
 * is not known to its server, nobody will ever say how the execution ended: a verdict says so, naming the version that
 * was judged, and the merge refuses it when news came meanwhile. A workflow that nobody works for is no failure: its
 * execution is PENDING, and says what it waits for.
 */
final class Reconciliation implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Reconciliation.class);

    private final LiveExecutions live;
    private final WorkflowStandings standings;
    private final BridgeProgress progress;
    private final UpdateAppender appender;
    private final String taskQueue;
    private final Duration interval;
    private final InstantSource clock;
    /** Executions whose workflow was not known, with how far the feed went at that time. */
    private final Map<ExecutionKey, BridgeProgress.Mark> missing = new HashMap<>();

    private final ScheduledExecutorService rounds = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "runcast-reconciliation");
        thread.setDaemon(true);
        return thread;
    });

    Reconciliation(
            LiveExecutions live,
            WorkflowStandings standings,
            BridgeProgress progress,
            UpdateAppender appender,
            String taskQueue,
            Duration interval,
            InstantSource clock) {
        this.live = live;
        this.standings = standings;
        this.progress = progress;
        this.appender = appender;
        this.taskQueue = taskQueue;
        this.interval = interval;
        this.clock = clock;
        rounds.scheduleWithFixedDelay(this::round, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void round() {
        if (!live.isComplete()) {
            return;
        }
        for (Live execution : live.live()) {
            // A young one is just being started.
            if (execution.since().plus(interval).isAfter(clock.instant())) {
                continue;
            }
            try {
                judge(execution);
            } catch (StatusRuntimeException e) {
                if (rounds.isShutdown()) {
                    return;
                }
                LOG.warn("Temporal does not say how {} stands; it is asked again: {}", execution.key(), e.getMessage());
                if (e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
                    return;
                }
            } catch (RuntimeException e) {
                LOG.warn("{} is held against its workflow later", execution.key(), e);
            }
        }
        missing.keySet().removeIf(key -> !live.isLive(key));
    }

    private void judge(Live execution) {
        WorkflowStanding standing = standings.of(execution.key());
        if (standing instanceof Running running) {
            missing.remove(execution.key());
            if (running.waitsForWorker()) {
                saysWhatItWaitsFor(execution);
            }
        } else if (standing instanceof Closed closed) {
            verdict(execution, closed.phase(), closed.failure());
        } else {
            unknown(execution);
        }
    }

    private void saysWhatItWaitsFor(Live execution) {
        String reason = "waits for a worker on task queue " + taskQueue;
        if (execution.phase().equals("PENDING") && !execution.reason().equals(reason)) {
            append(
                    execution,
                    "pending",
                    Update.newBuilder()
                            .setPhaseChanged(PhaseChanged.newBuilder()
                                    .setPhase(Phase.PHASE_PENDING)
                                    .setReason(reason))
                            .build());
        }
    }

    /** Lost, unless the bridge has not come to its declaration yet. */
    private void unknown(Live execution) {
        BridgeProgress.Mark before = missing.get(execution.key());
        if (before == null) {
            missing.put(execution.key(), progress.end());
        } else if (progress.hasPassed(before)) {
            if (execution.cancelRequested()) {
                verdict(execution, "CANCELLED", FailureDetail.NONE);
            } else {
                verdict(
                        execution,
                        "FAILED",
                        new FailureDetail(
                                "WORKFLOW_LOST",
                                "Temporal does not know workflow " + Workflows.id(execution.key()),
                                true));
            }
        }
    }

    private void verdict(Live execution, String phase, FailureDetail failure) {
        LOG.info("{} has not ended, its workflow has: {} {}", execution.key(), phase, failure.code());
        append(
                execution,
                "lost",
                Update.newBuilder()
                        .setVerdict(Verdict.newBuilder()
                                .setKind(VerdictKind.VERDICT_KIND_LOST)
                                .setEpoch(execution.epoch())
                                .setAsOf(execution.version())
                                .setOutcome(Phase.valueOf("PHASE_" + phase))
                                .setFailure(KafkaLogActivities.failureOf(failure))
                                .setReason(failure.code().isEmpty() ? "as its workflow ended" : ""))
                        .build());
    }

    /** Named after what was judged, so that two instances say it once. */
    private void append(Live execution, String what, Update update) {
        appender.append(
                execution.key().tenant(),
                execution.key().executionId(),
                WriterKind.WRITER_KIND_SYSTEM,
                "reconcile-" + what + "-" + execution.version(),
                update);
    }

    @Override
    public void close() {
        rounds.shutdownNow();
        try {
            // Its consumer is the round's alone.
            if (rounds.awaitTermination(5, TimeUnit.SECONDS)) {
                progress.close();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
