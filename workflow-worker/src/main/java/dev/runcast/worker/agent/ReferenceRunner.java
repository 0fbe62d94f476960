package dev.runcast.worker.agent;

import dev.runcast.runner.ExecutionReporter;
import dev.runcast.workflow.AgentActivities;
import dev.runcast.workflow.AttemptProgress;
import dev.runcast.workflow.AttemptRequest;
import dev.runcast.workflow.AttemptResult;
import dev.runcast.workflow.ThreadRequest;
import dev.runcast.workflow.ThreadResult;
import io.temporal.activity.Activity;
import io.temporal.activity.ActivityExecutionContext;
import io.temporal.activity.ActivityInfo;
import io.temporal.failure.ApplicationFailure;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs agents as activities of the public contract, as a runner in any language would. Thread-safe. */
public final class ReferenceRunner implements AgentActivities, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ReferenceRunner.class);
    private static final long CHECKPOINT_MILLIS = 500;

    private final RunnerSettings settings;
    private final AgentCatalog agents;
    private final Reporters reporters;
    private final Set<AgentRun> running = ConcurrentHashMap.newKeySet();
    private final String worker = ManagementFactory.getRuntimeMXBean().getName();
    private final ScheduledExecutorService checkpoints = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "runcast-checkpoints");
        thread.setDaemon(true);
        return thread;
    });

    /** Opens it; the runners' door need not be there yet. */
    public ReferenceRunner(RunnerSettings settings) {
        this.settings = settings;
        this.agents = new AgentCatalog(settings.agents());
        this.reporters = new Reporters(settings);
        checkpoints.scheduleWithFixedDelay(
                this::checkpoint, CHECKPOINT_MILLIS, CHECKPOINT_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public ThreadResult ensureThread(ThreadRequest request) {
        if (!agents.has(request.agent())) {
            throw ApplicationFailure.newNonRetryableFailure(agents.unknown(request.agent()), UNKNOWN_AGENT);
        }
        if (settings.lacksTokenOf(request.tenant())) {
            throw ApplicationFailure.newNonRetryableFailure(
                    "tenant: " + request.tenant()
                            + " (expected: one with a token for its agents, of a runner or an operator)",
                    "NO_TOKEN");
        }
        return new ThreadResult(request.tenant() + "/" + request.executionId());
    }

    @Override
    public AttemptResult executeGraphton(AttemptRequest request) {
        ActivityExecutionContext context = Activity.getExecutionContext();
        ActivityInfo info = context.getInfo();
        long epoch = epoch(context, info, request);
        Pulse pulse = new Pulse(context, epoch);
        ExecutionReporter execution = reporters.of(request.tenant()).execution(request.executionId(), epoch);
        AgentRun run = new AgentRun(
                request,
                epoch,
                steps(request),
                execution,
                AgentThread.open(settings.threads(), request.tenant(), request.executionId()),
                pulse,
                reporters,
                settings);
        running.add(run);
        try {
            return run.run(request.attach() || info.getAttempt() > 1, worker, "reference");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("the worker stops", e);
        } finally {
            running.remove(run);
        }
    }

    /** Greater than that of every attempt before, also when two servers' clocks differ or a retry is quick. */
    private static long epoch(ActivityExecutionContext context, ActivityInfo info, AttemptRequest request) {
        long before = context.getHeartbeatDetails(AttemptProgress.class)
                .map(AttemptProgress::epoch)
                .orElse(0L);
        return Math.max(Math.max(info.getCurrentAttemptScheduledTimestamp(), request.leastEpoch()), before + 1);
    }

    private List<Step> steps(AttemptRequest request) {
        try {
            return agents.steps(request.agent(), request.input());
        } catch (IllegalArgumentException e) {
            throw ApplicationFailure.newNonRetryableFailure(e.getMessage(), "INVALID_AGENT");
        }
    }

    private void checkpoint() {
        for (AgentRun run : running) {
            try {
                run.checkpoint();
            } catch (RuntimeException e) {
                LOG.warn("An agent's progress could not be kept; a second attempt would repeat more: {}", e.toString());
            }
        }
    }

    @Override
    public void close() {
        checkpoints.shutdownNow();
        reporters.close();
    }
}
