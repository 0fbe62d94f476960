package dev.runcast.merge;

import dev.runcast.v1.Approval;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextField;
import org.jspecify.annotations.Nullable;

/**
 * Decisions of people. The first one wins; whoever comes second is told which. Nothing but a decision, or its asker
 * taking it back, makes an approval leave the gate: no time that passes, and no gate that is empty.
 */
final class Approvals {
    private Approvals() {}

    static @Nullable Refusal decided(Work work, ApprovalDecided decided) {
        Entry before = work.entries.find(decided.getEntryId());
        if (before == null) {
            return EntryTable.unknown(decided.getEntryId());
        }
        if (!before.hasApproval()) {
            return Entries.otherKind(before, "approval");
        }
        Approval approval = before.getApproval();
        if (isDecided(before)) {
            work.decision = approval.getDecision();
            work.decidedBy = approval.getDecidedBy();
            return Refusal.of(
                    RejectionReason.REJECTION_REASON_ALREADY_DECIDED,
                    "decision: %s (expected: none before; %s said %s)"
                            .formatted(
                                    shown(decided.getDecision()),
                                    Ids.shown(approval.getDecidedBy()),
                                    shown(approval.getDecision())));
        }
        if (work.execution.ended()) {
            return Lifecycle.hasEnded(work, "decision", shown(decided.getDecision()));
        }
        if (EntryStates.isFinished(before.getState())) {
            return Entries.finished(before, "an approval that still waits");
        }
        EntryTable.Draft draft = work.entries.draft(decided.getEntryId());
        if (draft == null) {
            return EntryTable.unknown(decided.getEntryId());
        }
        draft.written = true;
        draft.record.setState(stateAfter(decided.getDecision()));
        draft.record
                .getApprovalBuilder()
                .setDecision(decided.getDecision())
                .setDecidedBy(work.batch.getPrincipal())
                .setDecidedAt(work.logTime)
                .setComment(decided.getComment());
        work.decision = decided.getDecision();
        work.decidedBy = work.batch.getPrincipal();
        return decided.hasArguments()
                ? draft.texts.replace(TextField.TEXT_FIELD_ARGUMENTS, decided.getArgumentsBytes())
                : null;
    }

    static boolean isDecided(Entry entry) {
        return entry.hasApproval() && entry.getApproval().getDecisionValue() != 0;
    }

    private static EntryState stateAfter(Decision decision) {
        return switch (decision) {
            case DECISION_APPROVE, DECISION_EDIT -> EntryState.ENTRY_STATE_COMPLETED;
            case DECISION_REJECT -> EntryState.ENTRY_STATE_CANCELLED;
            case DECISION_SKIP -> EntryState.ENTRY_STATE_SKIPPED;
            case DECISION_UNSPECIFIED, UNRECOGNIZED -> throw new AssertionError(decision);
        };
    }

    private static String shown(Decision decision) {
        return decision.name().replaceFirst("^DECISION_", "");
    }
}
