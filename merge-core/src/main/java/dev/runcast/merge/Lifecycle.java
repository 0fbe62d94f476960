package dev.runcast.merge;

import dev.runcast.v1.Attempt;
import dev.runcast.v1.AttemptStarted;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Recovered;
import dev.runcast.v1.RejectionReason;
import org.jspecify.annotations.Nullable;

/** The run as a whole: its attempts, its phase, its end and its way back. */
final class Lifecycle {
    private Lifecycle() {}

    /**
     * A higher epoch's first update applies: from now on that attempt counts. What the older attempt left unfinished
     * is settled, unless it left off on purpose: to wait for a person or because it was held.
     */
    static void adopt(Work work) {
        ExecutionState execution = work.execution;
        Phase phase = execution.phase();
        boolean leftOff = phase == Phase.PHASE_WAITING_FOR_APPROVAL || phase == Phase.PHASE_PAUSED;
        if (execution.epoch > 0 && !leftOff) {
            for (String entryId : work.entries.open()) {
                Entry entry = work.entries.find(entryId);
                if (entry != null && entry.getEpoch() > 0 && entry.getEpoch() < work.epoch) {
                    settle(work, entryId, EntryState.ENTRY_STATE_INTERRUPTED);
                }
            }
        }
        execution.epoch = work.epoch;
        execution.attempts++;
        execution.stalled = false;
    }

    static @Nullable Refusal attemptStarted(Work work, AttemptStarted started) {
        if (work.execution.ended()) {
            return hasEnded(work, "attempt_started", "");
        }
        say(work, Phase.PHASE_RUNNING);
        work.execution.reason = "";
        Attempt before = work.attempt();
        Attempt attempt = Attempt.newBuilder()
                .setEpoch(work.epoch)
                .setWorkerBytes(started.getWorkerBytes())
                .setBuildBytes(started.getBuildBytes())
                .setStartedAt(work.logTime)
                .build();
        if (before == null || attempt.getEpoch() >= before.getEpoch() && !attempt.equals(before)) {
            work.setAttempt(attempt);
        }
        return null;
    }

    static @Nullable Refusal phaseChanged(Work work, PhaseChanged changed) {
        Phase said = changed.getPhase();
        ExecutionState execution = work.execution;
        if (!Phases.maySay(work.kind, work.named, said)) {
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_NOT_PERMITTED,
                    "phase: %s (expected: one that %s may say)"
                            .formatted(shown(said), Permissions.shown(work.kind, work.named)));
        }
        switch (Phases.effect(execution.phase(), said)) {
            case APPLIES -> {
                if (Phases.isTerminal(said)) {
                    end(work, said, changed.getReason(), changed.getFailure());
                } else {
                    execution.reason = changed.getReason();
                    if (said == Phase.PHASE_PAUSED) {
                        execution.paused = true;
                    } else {
                        say(work, said);
                    }
                }
                return null;
            }
            case IS_RECORDED -> {
                LateOutcome.Builder late =
                        LateOutcome.newBuilder().setPhase(said).setReceivedAt(work.batch.getReceivedAt());
                if (said != Phase.PHASE_COMPLETED && !Work.isEmpty(changed.getFailure())) {
                    late.setFailure(changed.getFailure());
                }
                work.setLateOutcome(late.build());
                return null;
            }
            case HAS_ENDED -> {
                return hasEnded(work, "phase", shown(said));
            }
            case CANNOT_FOLLOW -> {
                return transition(work, "phase", shown(said));
            }
        }
        throw new AssertionError(said);
    }

    /** An ended run goes on, and what still reports from before is fenced at once. */
    static @Nullable Refusal recovered(Work work, Recovered recovered) {
        ExecutionState execution = work.execution;
        if (!mayRecover(execution)) {
            return transition(work, "recovered", "");
        }
        execution.said = Phase.PHASE_PENDING;
        execution.outcome = null;
        execution.endedAt = null;
        execution.minimumEpoch = execution.epoch + 1;
        execution.cancelRequested = false;
        execution.paused = false;
        execution.stalled = false;
        execution.reason = recovered.getReason();
        work.clearOutcome();
        return null;
    }

    /** A run that finished its work has nothing to go on with. */
    static boolean mayRecover(ExecutionState execution) {
        return execution.ended() && execution.outcome != Phase.PHASE_COMPLETED;
    }

    /** The first terminal phase: it is latched, and nothing stays open behind it. */
    static void end(Work work, Phase outcome, String reason, Failure failure) {
        ExecutionState execution = work.execution;
        for (String entryId : work.entries.open()) {
            settle(work, entryId, Phases.settled(outcome));
        }
        execution.outcome = outcome;
        execution.endedAt = work.logTime;
        execution.reason = reason;
        execution.cancelRequested = false;
        execution.paused = false;
        execution.stalled = false;
        if (outcome != Phase.PHASE_COMPLETED && !Work.isEmpty(failure)) {
            work.setFailure(failure);
        }
    }

    static Refusal hasEnded(Work work, String field, String value) {
        return Refusal.of(
                RejectionReason.REJECTION_REASON_ENDED,
                "%s: %s (expected: an execution that has not ended; it is %s)"
                        .formatted(field, value, shown(work.execution.phase())));
    }

    static Refusal transition(Work work, String field, String value) {
        return Refusal.of(
                RejectionReason.REJECTION_REASON_TRANSITION,
                "%s: %s (expected: what can follow %s)".formatted(field, value, shown(work.execution.phase())));
    }

    static String shown(Phase phase) {
        return phase.name().replaceFirst("^PHASE_", "");
    }

    private static void say(Work work, Phase said) {
        ExecutionState execution = work.execution;
        execution.said = said;
        if (said == Phase.PHASE_RUNNING && execution.startedAt == null) {
            execution.startedAt = work.logTime;
        }
    }

    private static void settle(Work work, String entryId, EntryState state) {
        EntryTable.Draft draft = work.entries.draft(entryId);
        if (draft != null) {
            draft.record.setState(state);
            draft.settled = true;
        }
    }
}
