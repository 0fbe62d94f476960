package dev.runcast.worker.agent;

import dev.runcast.runner.AttemptStanding;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.ToolCall;
import dev.runcast.worker.agent.Pulse.StopException;
import dev.runcast.worker.agent.Step.Act;
import dev.runcast.worker.agent.Step.Ask;
import dev.runcast.worker.agent.Step.Beat;
import dev.runcast.worker.agent.Step.Crash;
import dev.runcast.worker.agent.Step.Fail;
import dev.runcast.worker.agent.Step.Hang;
import dev.runcast.worker.agent.Step.Throw;
import dev.runcast.workflow.ApprovalDecision;
import dev.runcast.workflow.AttemptRequest;
import dev.runcast.workflow.AttemptResult;
import dev.runcast.workflow.AttemptResult.Status;
import dev.runcast.workflow.FailureDetail;
import io.temporal.failure.ApplicationFailure;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One attempt: takes the agent's steps from where its thread stands until they end, wait, or are told to stop. */
final class AgentRun {
    private static final Logger LOG = LoggerFactory.getLogger(AgentRun.class);

    /** What the last reports of an attempt may take to become durable before the workflow speaks for it. */
    private static final Duration LAST_FLUSH = Duration.ofSeconds(5);

    private static final Duration FLUSH = Duration.ofMillis(500);

    private final AttemptRequest request;
    private final long epoch;
    private final List<Step> steps;
    private final ExecutionReporter execution;
    private final AgentThread thread;
    private final Pulse pulse;
    private final Reporters reporters;
    private final RunnerSettings settings;
    /** The first step that has not been taken; those before are durable once a flush succeeds. */
    private volatile int taken;

    AgentRun(
            AttemptRequest request,
            long epoch,
            List<Step> steps,
            ExecutionReporter execution,
            AgentThread thread,
            Pulse pulse,
            Reporters reporters,
            RunnerSettings settings) {
        this.request = request;
        this.epoch = epoch;
        this.steps = steps;
        this.execution = execution;
        this.thread = thread;
        this.pulse = pulse;
        this.reporters = reporters;
        this.settings = settings;
        this.taken = thread.next();
    }

    AttemptResult run(boolean attach, String worker, String build) throws InterruptedException {
        try {
            // First of all: whatever stops this attempt, the thread has what was decided.
            thread.decided(request.decisions());
            CompletableFuture<AttemptStanding> standing =
                    execution.attach(worker, build).toCompletableFuture();
            if (attach) {
                // The activity waits, not the agent: it has not begun.
                while (!standing.isDone()) {
                    pulse.rest(Duration.ofMillis(50));
                }
                AttemptStanding known = standing.join();
                if (known instanceof AttemptStanding.Closed closed) {
                    return closed(closed.outcome());
                }
                if (known instanceof AttemptStanding.Fenced) {
                    return AttemptResult.of(Status.FENCED, epoch, false);
                }
            }
            execution.listen(pulse);
            AttemptResult early = takeSteps();
            if (early != null) {
                return early;
            }
            pulse.beat();
            execution.completed();
            return AttemptResult.of(Status.COMPLETED, epoch, lastFlush());
        } catch (StopException stop) {
            return stopped(stop.reason);
        } finally {
            execution.release();
        }
    }

    /** Keeps what has become durable; called beside the agent. */
    void checkpoint() {
        int now = taken;
        if (now > thread.next() && reporters.flush(request.tenant(), request.executionId(), epoch, FLUSH)) {
            thread.durable(now);
        }
    }

    private @Nullable AttemptResult takeSteps() throws InterruptedException {
        for (int index = taken; index < steps.size(); index++) {
            Step step = steps.get(index);
            AttemptResult early = null;
            if (step instanceof Act act) {
                act(act);
            } else if (step instanceof Ask ask) {
                early = ask(ask);
            } else if (step instanceof Fail fail && thread.happens(index, fail.times())) {
                early = fail(fail.failure());
            } else if (step instanceof Throw thrown && thread.happens(index, thrown.times())) {
                throw new IllegalStateException(thrown.message());
            } else if (step instanceof Hang hang && thread.happens(index, hang.times())) {
                // Without a pulse: that is what hanging is.
                TimeUnit.MILLISECONDS.sleep(scaled(hang.takes()).toMillis());
            } else if (step instanceof Crash crash) {
                crash(index, crash);
            }
            if (early != null) {
                return early;
            }
            taken = index + 1;
        }
        return null;
    }

    private void act(Act act) throws InterruptedException {
        for (Beat beat : act.beats()) {
            if (beat.pause().isZero()) {
                pulse.beat();
            } else {
                pulse.rest(scaled(beat.pause()));
            }
            beat.report().accept(execution);
        }
    }

    /**
     * Asks, and ends the attempt until the answer comes. After a recovery the question is a new one: the end settled the
     * old one, and an answer that came before it has been given to nobody who is still there.
     */
    private @Nullable AttemptResult ask(Ask ask) throws InterruptedException {
        String approvalId = ask.id() + "-approval" + (request.recovery() > 0 ? "-r" + request.recovery() : "");
        ApprovalDecision decision = thread.decision(approvalId);
        if (decision == null) {
            execution.entry(Entry.newBuilder()
                    .setEntryId(ask.id())
                    .setState(EntryState.ENTRY_STATE_PENDING)
                    .setToolCall(ToolCall.newBuilder().setName(ask.tool()).setArguments(ask.arguments()))
                    .build());
            execution.approvalRequested(
                    approvalId,
                    Approval.newBuilder()
                            .setToolCallId(ask.id())
                            .setPrompt(ask.prompt())
                            .build());
            // Nobody can answer what nobody can read.
            while (!reporters.flush(request.tenant(), request.executionId(), epoch, FLUSH)) {
                pulse.beat();
            }
            thread.durable(taken);
            return new AttemptResult(Status.WAITING, epoch, false, null, List.of(approvalId), null);
        }
        switch (decision.decision()) {
            case "APPROVE", "EDIT" -> {
                String arguments = Objects.requireNonNullElse(decision.arguments(), ask.arguments());
                execution.toolCallStarted(ask.id(), ask.tool(), arguments);
                pulse.rest(scaled(ask.takes()));
                execution.toolCallCompleted(ask.id(), "done");
            }
            case "SKIP" -> notCalled(ask, EntryState.ENTRY_STATE_SKIPPED);
            default -> notCalled(ask, EntryState.ENTRY_STATE_CANCELLED);
        }
        return null;
    }

    private void notCalled(Ask ask, EntryState state) {
        execution.entry(Entry.newBuilder()
                .setEntryId(ask.id())
                .setState(state)
                .setToolCall(ToolCall.newBuilder().setName(ask.tool()).setArguments(ask.arguments()))
                .build());
    }

    private AttemptResult fail(FailureDetail failure) {
        execution.failed(failure.code(), failure.message(), failure.retryable());
        return new AttemptResult(Status.FAILED, epoch, lastFlush(), failure, null, null);
    }

    private void crash(int index, Crash crash) throws InterruptedException {
        if (!settings.crashAllowed()) {
            throw ApplicationFailure.newNonRetryableFailure(
                    "the script crashes the process, which runcast.runner.crash-allowed does not allow",
                    "CRASH_NOT_ALLOWED");
        }
        // What was said before is said: the crash is the process's, not the pipeline's.
        while (!reporters.flush(request.tenant(), request.executionId(), epoch, FLUSH)) {
            pulse.beat();
        }
        thread.durable(taken);
        if (thread.happens(index, crash.times())) {
            LOG.error("{} crashes the process, as scripted", execution);
            Runtime.getRuntime().halt(137);
        }
    }

    private AttemptResult stopped(Pulse.Reason reason) {
        return switch (reason) {
            case CANCELLED -> {
                execution.cancelled("");
                yield AttemptResult.of(Status.CANCELLED, epoch, lastFlush());
            }
            case CLOSED -> closed(pulse.outcome());
            case FENCED -> AttemptResult.of(Status.FENCED, epoch, false);
            case PAUSED, TOLD -> {
                if (lastFlush()) {
                    thread.durable(taken);
                }
                yield AttemptResult.of(Status.STOPPED, epoch, false);
            }
        };
    }

    private AttemptResult closed(Phase outcome) {
        String phase = outcome == Phase.PHASE_UNSPECIFIED ? "" : outcome.name().replaceFirst("^PHASE_", "");
        return new AttemptResult(Status.CLOSED, epoch, false, null, null, phase);
    }

    /** Lives meanwhile: who flushes is not dead, and a pipeline that is away must not cost the attempt its result. */
    private boolean lastFlush() {
        long end = System.nanoTime() + LAST_FLUSH.toNanos();
        while (!reporters.flush(request.tenant(), request.executionId(), epoch, FLUSH)) {
            if (System.nanoTime() > end) {
                return false;
            }
            pulse.alive();
        }
        return true;
    }

    private Duration scaled(Duration time) {
        return Duration.ofNanos((long) (time.toNanos() / settings.speed()));
    }
}
