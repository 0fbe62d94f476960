package dev.runcast.merge;

import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import org.jspecify.annotations.Nullable;

/** What is asked of a run and judged of it from outside: control requests and verdicts. */
final class Controls {
    private static final String RUNNER_LOST = "RUNNER_LOST";

    private Controls() {}

    static @Nullable Refusal requested(Work work, ControlRequested requested) {
        ExecutionState execution = work.execution;
        if (execution.lastControlAt != null && Times.compare(work.batch.getReceivedAt(), execution.lastControlAt) < 0) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_STALE,
                    "received_at: %s (expected: %s or later, when the last request was received)"
                            .formatted(Times.shown(work.batch.getReceivedAt()), Times.shown(execution.lastControlAt)));
        }
        Refusal refusal =
                switch (requested.getControl()) {
                    case CONTROL_CANCEL -> cancel(work, requested.getReason());
                    case CONTROL_PAUSE -> pause(work, requested.getReason());
                    case CONTROL_RESUME -> resume(work, requested.getReason());
                    case CONTROL_RECOVER -> recover(work);
                    case CONTROL_UNSPECIFIED, UNRECOGNIZED ->
                        Refusal.invalid("control", requested.getControlValue(), "a control this build knows");
                };
        if (refusal == null) {
            execution.lastControlAt = work.batch.getReceivedAt();
        }
        return refusal;
    }

    /** With nobody there to be told, the wish is the end. */
    private static @Nullable Refusal cancel(Work work, String reason) {
        ExecutionState execution = work.execution;
        if (execution.ended()) {
            return Lifecycle.hasEnded(work, "control", "CANCEL");
        }
        if (execution.hasWorkflow || execution.epoch > 0) {
            execution.cancelRequested = true;
        } else {
            Lifecycle.end(work, Phase.PHASE_CANCELLED, reason, Failure.getDefaultInstance());
        }
        return null;
    }

    private static @Nullable Refusal pause(Work work, String reason) {
        if (work.execution.ended()) {
            return Lifecycle.hasEnded(work, "control", "PAUSE");
        }
        work.execution.paused = true;
        work.execution.reason = reason;
        return null;
    }

    private static @Nullable Refusal resume(Work work, String reason) {
        if (work.execution.ended()) {
            return Lifecycle.hasEnded(work, "control", "RESUME");
        }
        if (!work.execution.paused) {
            return Lifecycle.transition(work, "control", "RESUME");
        }
        work.execution.paused = false;
        work.execution.reason = reason;
        return null;
    }

    /**
     * Changes nothing by itself: the workflow hears of it and answers with Recovered. The change says again what was
     * asked for, since a workflow that has closed is started anew from the change alone.
     */
    private static @Nullable Refusal recover(Work work) {
        if (!Lifecycle.mayRecover(work.execution)) {
            return Lifecycle.transition(work, "control", "RECOVER");
        }
        if (!work.execution.hasWorkflow) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_TRANSITION,
                    "control: RECOVER (expected: an execution with a workflow, which would go on with it)");
        }
        work.repeatsSpec = work.rules.recoverRepeatsSpec();
        return null;
    }

    /** Names the fact it judged, and is refused when that no longer holds. */
    static @Nullable Refusal verdict(Work work, Verdict verdict) {
        ExecutionState execution = work.execution;
        if (execution.ended()) {
            return Lifecycle.hasEnded(work, "verdict", shown(verdict.getKind()));
        }
        if (verdict.getAsOf() != execution.version) {
            return outdated("as_of", verdict.getAsOf(), execution.version);
        }
        if (verdict.getEpoch() != execution.epoch) {
            return outdated("epoch", verdict.getEpoch(), execution.epoch);
        }
        switch (verdict.getKind()) {
            case VERDICT_KIND_STALLED -> {
                if (execution.stalled) {
                    return outdated("kind", "STALLED", "one that is not stalled");
                }
                execution.stalled = true;
            }
            case VERDICT_KIND_LIVE -> {
                if (!execution.stalled) {
                    return outdated("kind", "LIVE", "one that is stalled");
                }
                execution.stalled = false;
            }
            case VERDICT_KIND_LOST -> {
                return lost(work, verdict);
            }
            case VERDICT_KIND_UNSPECIFIED, UNRECOGNIZED -> {
                return Refusal.invalid("kind", verdict.getKindValue(), "a verdict this build knows");
            }
        }
        return null;
    }

    /** Without a workflow silence alone is the loss; with one its silence says nothing, and its own outcome holds. */
    private static @Nullable Refusal lost(Work work, Verdict verdict) {
        boolean hasWorkflow = work.execution.hasWorkflow;
        Phase outcome = work.rules.endsAsItsWorkflowDid() ? verdict.getOutcome() : Phase.PHASE_UNSPECIFIED;
        if (outcome == Phase.PHASE_UNSPECIFIED) {
            if (hasWorkflow) {
                return outdated("kind", "LOST", "one without a workflow, which would say so itself");
            }
            Failure failure = verdict.getFailure();
            Lifecycle.end(
                    work,
                    Phase.PHASE_FAILED,
                    verdict.getReason(),
                    failure.getCode().isEmpty()
                            ? failure.toBuilder().setCode(RUNNER_LOST).build()
                            : failure);
            return null;
        }
        if (!Phases.isTerminal(outcome)) {
            return Refusal.invalid("outcome", verdict.getOutcomeValue(), "a terminal phase");
        }
        if (!hasWorkflow) {
            return outdated("outcome", Lifecycle.shown(outcome), "none for one without a workflow");
        }
        Lifecycle.end(work, outcome, verdict.getReason(), verdict.getFailure());
        return null;
    }

    private static Refusal outdated(String field, Object judged, Object holds) {
        return Refusal.of(
                RejectionReason.REJECTION_REASON_VERDICT_OUTDATED,
                "%s: %s (expected: %s)".formatted(field, judged, holds));
    }

    private static String shown(VerdictKind kind) {
        return kind.name().replaceFirst("^VERDICT_KIND_", "");
    }
}
