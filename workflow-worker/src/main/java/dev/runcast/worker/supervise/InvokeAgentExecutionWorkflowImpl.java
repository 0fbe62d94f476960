package dev.runcast.worker.supervise;

import dev.runcast.workflow.AgentActivities;
import dev.runcast.workflow.ApprovalDecision;
import dev.runcast.workflow.AttemptRequest;
import dev.runcast.workflow.AttemptResult;
import dev.runcast.workflow.CarriedState;
import dev.runcast.workflow.ExecutionNews;
import dev.runcast.workflow.ExecutionRequest;
import dev.runcast.workflow.ExecutionResult;
import dev.runcast.workflow.FailureDetail;
import dev.runcast.workflow.InvokeAgentExecutionWorkflow;
import dev.runcast.workflow.ThreadRequest;
import dev.runcast.workflow.ThreadResult;
import io.temporal.activity.ActivityCancellationType;
import io.temporal.activity.ActivityOptions;
import io.temporal.common.RetryOptions;
import io.temporal.common.converter.DataConverterException;
import io.temporal.failure.ActivityFailure;
import io.temporal.workflow.Async;
import io.temporal.workflow.CancellationScope;
import io.temporal.workflow.ContinueAsNewOptions;
import io.temporal.workflow.Promise;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInit;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Supervises one execution.
 *
 * <p>How: attempts follow one another until one says how the run ended, or somebody asks for its end. The wait between
 * two attempts, for a person or while the run is held, takes nobody's slot. The end is in the log before the workflow
 * closes: either the runner's, which it says is acked, or the workflow's own, appended until it is. What people ask for
 * comes as news with the version of its change; what has been seen is ignored, so news may come any number of times.
 */
public final class InvokeAgentExecutionWorkflowImpl implements InvokeAgentExecutionWorkflow {
    private static final Duration THREAD_TIMEOUT = Duration.ofSeconds(30);
    private static final int THREAD_ATTEMPTS = 3;
    private static final Duration MAX_RETRY = Duration.ofSeconds(30);

    /** How long news from the feed may take: an end that the attempt knows of already, a recovery that was appended. */
    private static final Duration NEWS = Duration.ofSeconds(30);

    /** How long a runner may be told of what a recovery has undone. */
    private static final Duration STALE = Duration.ofSeconds(2);

    /** What an attempt that has reported its end may take to come back. */
    private static final Duration COMING_BACK = Duration.ofSeconds(10);

    /** What an agent that is told by Runcast's signal may take to stop, before Temporal tells it too. */
    private static final Duration STOPPING_ITSELF = Duration.ofMillis(400);

    private static final Set<String> TERMINAL = Set.of("COMPLETED", "FAILED", "CANCELLED", "TERMINATED");

    /** How often an attempt may find an end that the feed does not confirm. */
    private static final int UNCONFIRMED = 3;

    private final ExecutionRequest request;
    private final Supervision supervision;
    private final AgentActivities threads;
    private final LogActivities log;
    private int attempts;
    private int appended;

    /** Begins with what the request says, so that news which come first are news to it. */
    @WorkflowInit
    public InvokeAgentExecutionWorkflowImpl(ExecutionRequest request) {
        this.request = request;
        this.supervision = new Supervision(request);
        CarriedState carried = request.carried();
        this.attempts = carried == null ? 0 : carried.attempts();
        this.threads = Workflow.newActivityStub(
                AgentActivities.class,
                ActivityOptions.newBuilder()
                        .setStartToCloseTimeout(THREAD_TIMEOUT)
                        .setRetryOptions(RetryOptions.newBuilder()
                                .setMaximumAttempts(THREAD_ATTEMPTS)
                                .setDoNotRetry(AgentActivities.UNKNOWN_AGENT)
                                .build())
                        .setCancellationType(ActivityCancellationType.ABANDON)
                        .setSummary("thread of " + shown(request.agent()))
                        .build());
        this.log = Workflow.newActivityStub(
                LogActivities.class,
                ActivityOptions.newBuilder()
                        .setTaskQueue(request.policy().logQueue())
                        .setStartToCloseTimeout(Duration.ofSeconds(30))
                        .setRetryOptions(RetryOptions.newBuilder()
                                .setInitialInterval(Duration.ofMillis(200))
                                .setMaximumInterval(Duration.ofSeconds(10))
                                .build())
                        .build());
    }

    @Override
    public void executionChanged(ExecutionNews news) {
        supervision.apply(news);
    }

    @Override
    public ExecutionResult invoke(ExecutionRequest sameRequest) {
        // Somebody who cancels the workflow in Temporal asks for the end of the run; the workflow itself goes on to it.
        CancellationScope.current().getCancellationRequest().thenApply(reason -> {
            supervision.cancel("Temporal");
            return reason;
        });
        Outcome outcome = new Outcome();
        Workflow.newDetachedCancellationScope(() -> {
                    do {
                        outcome.result = untilTheEnd();
                        // A recovery that was asked for while the workflow was about to close.
                    } while (supervision.recoverAsked());
                })
                .run();
        return Objects.requireNonNull(outcome.result);
    }

    private ExecutionResult untilTheEnd() {
        CarriedState carried = request.carried();
        if (supervision.recoverAsked()) {
            recover();
        }
        Promise<Void> link = carried == null && attempts == 0 ? link() : Workflow.newPromise((Void) null);
        ExecutionResult result = supervise(carried == null ? null : carried.threadId());
        Workflow.await(COMING_BACK, link::isCompleted);
        Workflow.setCurrentDetails("Ended: " + result.phase() + because(result.failure()));
        return result;
    }

    private ExecutionResult supervise(@Nullable String knownThread) {
        String thread = knownThread;
        int unconfirmed = 0;
        while (true) {
            if (!supervision.mustEnd() && !supervision.mayRun()) {
                Workflow.setCurrentDetails(
                        supervision.paused() ? "Paused" : "Waits for a person: " + supervision.undecided());
                Workflow.await(() -> supervision.mustEnd() || supervision.mayRun());
            }
            if (supervision.mustEnd()) {
                return end();
            }
            if (thread == null) {
                Promise<ThreadResult> ensured = Async.function(
                        threads::ensureThread,
                        new ThreadRequest(
                                request.tenant(), request.executionId(), request.agent(), request.sessionId()));
                Workflow.setCurrentDetails("Asks for the thread of " + shown(request.agent()));
                Workflow.await(() -> ensured.isCompleted() || supervision.mustEnd());
                if (!ensured.isCompleted()) {
                    continue;
                }
                try {
                    ThreadResult ensuredThread = ensured.get();
                    thread = ensuredThread == null ? null : ensuredThread.threadId();
                } catch (ActivityFailure failure) {
                    return failed(AttemptFailures.of(failure));
                } catch (DataConverterException unreadable) {
                    return failed(AttemptFailures.unreadable("EnsureThread", unreadable));
                }
                if (thread == null || thread.isBlank()) {
                    return failed(AttemptFailures.missing("EnsureThread", "thread_id"));
                }
                continue;
            }
            continueAsNewIfLong(thread);
            Outcome outcome = attempt(thread);
            if (outcome.result != null) {
                return outcome.result;
            }
            if (outcome.closed != null && !supervision.hasEnded()) {
                unconfirmed++;
                if (supervision.recovery() == 0 || unconfirmed >= UNCONFIRMED) {
                    return TERMINAL.contains(outcome.closed)
                            ? result(outcome.closed, FailureDetail.NONE)
                            : failed(AttemptFailures.missing("ExecuteGraphton", "outcome, with CLOSED,"));
                }
            }
        }
    }

    /** What an attempt came to: a result that ends the workflow, or an end that was there already, or neither. */
    private static final class Outcome {
        private @Nullable ExecutionResult result;
        private @Nullable String closed;
    }

    private Outcome attempt(String thread) {
        List<ApprovalDecision> decisions = supervision.decisions();
        AttemptRequest attempt = new AttemptRequest(
                request.tenant(),
                request.executionId(),
                request.agent(),
                request.sessionId(),
                thread,
                request.input(),
                supervision.leastEpoch(),
                supervision.leastEpoch() > 0 || attempts > 0,
                supervision.recovery(),
                decisions);
        AgentActivities agent = Workflow.newActivityStub(AgentActivities.class, attemptOptions());
        Workflow.setCurrentDetails("Runs " + shown(request.agent())
                + (attempts == 0 ? "" : ", goes on for the " + (attempts + 1) + ". time"));
        Attempt running = new Attempt();
        CancellationScope scope =
                Workflow.newCancellationScope(() -> running.promise = Async.function(agent::executeGraphton, attempt));
        scope.run();
        Promise<AttemptResult> promise = Objects.requireNonNull(running.promise);
        Workflow.await(() -> promise.isCompleted() || supervision.mustEnd() || supervision.paused());
        boolean cancelledByUs = !promise.isCompleted() && stop(scope, promise);
        attempts++;
        Outcome outcome = new Outcome();
        if (cancelledByUs) {
            outcome.result = result("CANCELLED", FailureDetail.NONE);
            return outcome;
        }
        if (!promise.isCompleted()) {
            // It does not stop; the next attempt fences it.
            return outcome;
        }
        AttemptResult result;
        try {
            result = promise.get();
        } catch (ActivityFailure failure) {
            if (!AttemptFailures.isCancelled(failure) && !supervision.mustEnd()) {
                outcome.result = failed(AttemptFailures.of(failure));
            }
            return outcome;
        } catch (DataConverterException unreadable) {
            outcome.result = failed(AttemptFailures.unreadable("ExecuteGraphton", unreadable));
            return outcome;
        }
        // Somebody else's code wrote it: whatever is not there is null.
        if (result == null || result.status() == null) {
            outcome.result = failed(AttemptFailures.missing("ExecuteGraphton", "status"));
            return outcome;
        }
        supervision.attempted(result.epoch());
        if (hasDecisions(result.status())) {
            supervision.delivered(decisions);
        }
        supervision.waitFor(List.of());
        return interpret(result, outcome);
    }

    /** Whether the agent's thread has the decisions that its attempt was given; else the next attempt gets them again. */
    private static boolean hasDecisions(AttemptResult.Status status) {
        return switch (status) {
            case COMPLETED, FAILED, CANCELLED, WAITING -> true;
            case STOPPED, FENCED, CLOSED -> false;
        };
    }

    private static final class Attempt {
        private @Nullable Promise<AttemptResult> promise;
    }

    /**
     * Stops an attempt that runs on although the run is held, cancelled or over.
     *
     * @return whether the workflow itself has said CANCELLED, since the agent did not in time
     */
    private boolean stop(CancellationScope scope, Promise<AttemptResult> promise) {
        // A runner that has said the end is about to come back, and one that listens to Runcast's signal stops by
        // itself.
        Workflow.await(supervision.hasEnded() ? COMING_BACK : STOPPING_ITSELF, promise::isCompleted);
        if (promise.isCompleted()) {
            return false;
        }
        scope.cancel(supervision.cancelled() ? "cancelled" : supervision.hasEnded() ? "ended" : "paused");
        boolean said = false;
        if (!supervision.mustEnd()) {
            // Held. Somebody may ask for the end while the agent takes its time.
            Workflow.await(millis(request.policy().stopMillis()), () -> promise.isCompleted() || supervision.mustEnd());
            if (promise.isCompleted() || !supervision.mustEnd()) {
                return false;
            }
        }
        if (supervision.cancelled() && !supervision.hasEnded()) {
            Workflow.setCurrentDetails("Cancelled; the agent is told");
            Workflow.await(
                    millis(request.policy().cancelMillis()), () -> promise.isCompleted() || supervision.hasEnded());
            if (!promise.isCompleted() && !supervision.hasEnded()) {
                say("CANCELLED", cancelReason(), FailureDetail.NONE);
                said = true;
            }
        }
        Workflow.await(millis(request.policy().stopMillis()), promise::isCompleted);
        return said;
    }

    private Outcome interpret(AttemptResult result, Outcome outcome) {
        FailureDetail failure = Objects.requireNonNullElse(result.failure(), FailureDetail.NONE);
        switch (result.status()) {
            case COMPLETED, CANCELLED -> outcome.result = ended(result, FailureDetail.NONE);
            case FAILED -> outcome.result = ended(result, failure);
            case WAITING -> {
                List<String> approvals = Objects.requireNonNullElse(result.waitingFor(), List.of());
                if (approvals.isEmpty()) {
                    outcome.result = failed(new FailureDetail(
                            "INVALID_RESULT",
                            "waiting_for: empty (expected: the approvals that the agent waits for)",
                            false));
                }
                supervision.waitFor(approvals);
            }
            case FENCED -> {
                Workflow.setCurrentDetails("Another attempt has taken over; waits for its end");
                Workflow.await(supervision::mustEnd);
            }
            case CLOSED -> {
                // Just after a recovery the attempt may have been told of the end before it.
                Workflow.await(supervision.recovered() ? STALE : NEWS, supervision::hasEnded);
                outcome.closed = Objects.requireNonNullElse(result.outcome(), "");
            }
            case STOPPED -> {
                if (!supervision.mustEnd() && !supervision.paused()) {
                    // Its worker stops. Somebody else goes on.
                    Workflow.sleep(millis(request.policy().retryMillis()));
                }
            }
        }
        return outcome;
    }

    /** The end that an attempt came back with: in the log already when it is durable. */
    private ExecutionResult ended(AttemptResult result, FailureDetail failure) {
        String phase = result.status().name();
        if (!result.durable() && !supervision.hasEnded()) {
            say(phase, "", failure);
        }
        return recordedOr(phase, failure);
    }

    private ExecutionResult failed(FailureDetail failure) {
        if (!supervision.hasEnded()) {
            say("FAILED", "", failure);
        }
        return recordedOr("FAILED", failure);
    }

    private ExecutionResult end() {
        if (!supervision.hasEnded()) {
            say("CANCELLED", cancelReason(), FailureDetail.NONE);
        }
        return recordedOr("CANCELLED", FailureDetail.NONE);
    }

    /** The first end wins, in the log and so here. */
    private ExecutionResult recordedOr(String phase, FailureDetail failure) {
        Supervision.Ended recorded = supervision.ended();
        return recorded == null ? result(phase, failure) : result(recorded.phase(), recorded.failure());
    }

    private ExecutionResult result(String phase, FailureDetail failure) {
        return new ExecutionResult(phase, failure, attempts);
    }

    private String cancelReason() {
        String by = supervision.cancelledBy();
        return by == null || by.isEmpty() ? "cancelled" : "cancelled by " + by;
    }

    private void recover() {
        Workflow.setCurrentDetails("Recovers");
        long recovery = supervision.beginRecovery();
        log.append(update("wf-recover-" + recovery, "", "recovered", FailureDetail.NONE, true, ""));
        // Until the merge has said so, an attempt would find the old end.
        Workflow.await(NEWS, supervision::recovered);
    }

    private Promise<Void> link() {
        String url = request.policy().pageUrl();
        return url.isEmpty()
                ? Workflow.newPromise((Void) null)
                : Async.procedure(log::append, update(nextRequest(), "", "", FailureDetail.NONE, false, url));
    }

    private void say(String phase, String reason, FailureDetail failure) {
        log.append(update(nextRequest(), phase, reason, failure, false, ""));
    }

    /** Named after this run, so that whoever appends it again changes nothing. */
    private String nextRequest() {
        return "wf-" + Workflow.getInfo().getRunId() + "-" + ++appended;
    }

    private UpdateToAppend update(
            String requestId, String phase, String reason, FailureDetail failure, boolean recovered, String url) {
        return new UpdateToAppend(
                request.tenant(), request.executionId(), requestId, phase, reason, failure, recovered, url);
    }

    private void continueAsNewIfLong(String thread) {
        if (!Workflow.getInfo().isContinueAsNewSuggested()
                && Workflow.getInfo().getHistoryLength() < request.policy().historyEvents()) {
            return;
        }
        CarriedState carried = new CarriedState(thread, attempts, supervision.waitingFor(), supervision.decisions());
        Workflow.continueAsNew(
                InvokeAgentExecutionWorkflow.TYPE,
                ContinueAsNewOptions.getDefaultInstance(),
                new ExecutionRequest(
                        request.tenant(),
                        request.executionId(),
                        request.agent(),
                        request.sessionId(),
                        request.input(),
                        supervision.seen(),
                        supervision.leastEpoch(),
                        supervision.paused(),
                        supervision.cancelled(),
                        supervision.recovery(),
                        request.policy(),
                        carried));
    }

    private ActivityOptions attemptOptions() {
        return ActivityOptions.newBuilder()
                .setStartToCloseTimeout(millis(request.policy().startToCloseMillis()))
                .setHeartbeatTimeout(millis(request.policy().heartbeatMillis()))
                .setRetryOptions(RetryOptions.newBuilder()
                        .setInitialInterval(millis(request.policy().retryMillis()))
                        .setMaximumInterval(MAX_RETRY)
                        .setMaximumAttempts(request.policy().attempts())
                        .setDoNotRetry(AgentActivities.UNKNOWN_AGENT)
                        .build())
                .setCancellationType(ActivityCancellationType.WAIT_CANCELLATION_COMPLETED)
                .setSummary(shown(request.agent()) + " for " + request.executionId()
                        + (supervision.decisions().isEmpty() ? "" : ", with a decision"))
                .build();
    }

    private static Duration millis(long value) {
        return Duration.ofMillis(value);
    }

    private static String shown(String agent) {
        return agent.isEmpty() ? "an agent without a name" : agent;
    }

    private static String because(FailureDetail failure) {
        return failure.code().isEmpty() ? "" : ", " + failure.code() + ": " + failure.message();
    }
}
