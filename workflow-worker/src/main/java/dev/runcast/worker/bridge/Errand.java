package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.Phases;
import dev.runcast.v1.Change;
import dev.runcast.v1.Control;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.WriterKind;
import dev.runcast.workflow.ApprovalDecision;
import dev.runcast.workflow.ExecutionNews;
import dev.runcast.workflow.FailureDetail;
import dev.runcast.workflow.WorkflowIds;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a change asks the bridge to do. A pure function of the change, so that a change read twice asks the same. */
sealed interface Errand {
    /** The execution. */
    ExecutionKey key();

    /** The version of the change. */
    long version();

    /** Starts the workflow that the execution was declared with. */
    record Start(ExecutionKey key, long version, Execution execution) implements Errand {}

    /** Tells the workflow. */
    record Tell(ExecutionKey key, long version, ExecutionNews news) implements Errand {}

    /** Tells the workflow, or starts it anew if it has closed. */
    record Recover(ExecutionKey key, long version, Execution execution, ExecutionNews news) implements Errand {}

    /** What the change asks for; empty for most changes. */
    static Optional<Errand> of(ExecutionKey key, Change change) {
        Execution execution = change.getExecution();
        boolean refused = change.getRequestOutcome().getRefusedValue() != 0;
        Control control = refused
                ? Control.CONTROL_UNSPECIFIED
                : change.getRequestOutcome().getControl();
        if (control == Control.CONTROL_RECOVER) {
            return isOurs(key, execution.getSpec())
                    ? Optional.of(new Recover(key, change.getVersion(), execution, news(change, control, "", false)))
                    : Optional.empty();
        }
        if (change.hasExecution() && isOurs(key, execution.getSpec())) {
            return Phases.isTerminal(execution.getPhase())
                    ? Optional.empty()
                    : Optional.of(new Start(key, change.getVersion(), execution));
        }
        String ended = endedNow(change) ? shown(execution.getPhase()) : "";
        boolean recovered = recoveredNow(change);
        ExecutionNews news = news(change, control, ended, recovered);
        boolean matters = control != Control.CONTROL_UNSPECIFIED
                || !ended.isEmpty()
                || recovered
                || !news.decisions().isEmpty();
        return matters ? Optional.of(new Tell(key, change.getVersion(), news)) : Optional.empty();
    }

    private static boolean isOurs(ExecutionKey key, ExecutionSpec spec) {
        return spec.getWorkflowId().equals(WorkflowIds.of(key.tenant(), key.executionId()));
    }

    /** The workflow knows what it has said itself. */
    private static boolean endedNow(Change change) {
        return change.hasExecution()
                && Phases.isTerminal(change.getExecution().getPhase())
                && change.getExecution().getEndedAt().equals(change.getReceivedAt())
                && change.getCause().getWriter().getKind() != WriterKind.WRITER_KIND_WORKFLOW;
    }

    private static boolean recoveredNow(Change change) {
        Execution execution = change.getExecution();
        return change.hasExecution()
                && execution.getPhase() == Phase.PHASE_PENDING
                && execution.getMinimumEpoch() == execution.getEpoch() + 1
                && change.getCause().getWriter().getKind() != WriterKind.WRITER_KIND_RUNNER;
    }

    private static ExecutionNews news(Change change, Control control, String ended, boolean recovered) {
        Failure failure = change.getExecution().getFailure();
        return new ExecutionNews(
                change.getVersion(),
                control == Control.CONTROL_UNSPECIFIED ? "" : control.name().replaceFirst("^CONTROL_", ""),
                change.getCause().getPrincipal(),
                ended,
                ended.isEmpty()
                        ? FailureDetail.NONE
                        : new FailureDetail(failure.getCode(), failure.getMessage(), failure.getRetryable()),
                recovered,
                change.getExecution().getEpoch(),
                ended.isEmpty() ? decisions(change) : List.of());
    }

    /** Approvals that are at their end with this change, decided or taken back. */
    private static List<ApprovalDecision> decisions(Change change) {
        List<ApprovalDecision> decisions = new ArrayList<>();
        for (Entry entry : change.getEntriesList()) {
            if (entry.hasApproval() && isFinished(entry.getState())) {
                String decision = entry.getApproval().getDecisionValue() == 0
                        ? ""
                        : entry.getApproval().getDecision().name().replaceFirst("^DECISION_", "");
                decisions.add(new ApprovalDecision(
                        entry.getEntryId(),
                        decision,
                        decision.equals("EDIT") ? arguments(change, entry.getEntryId()) : null,
                        entry.getApproval().getComment(),
                        entry.getApproval().getDecidedBy()));
            }
        }
        return decisions;
    }

    private static String arguments(Change change, String entryId) {
        StringBuilder arguments = new StringBuilder();
        for (TextChange text : change.getTextsList()) {
            if (text.getEntryId().equals(entryId) && text.getField() == TextField.TEXT_FIELD_ARGUMENTS) {
                arguments.append(text.getText());
            }
        }
        return arguments.toString();
    }

    private static boolean isFinished(EntryState state) {
        return switch (state) {
            case ENTRY_STATE_COMPLETED,
                    ENTRY_STATE_FAILED,
                    ENTRY_STATE_SKIPPED,
                    ENTRY_STATE_CANCELLED,
                    ENTRY_STATE_INTERRUPTED -> true;
            case ENTRY_STATE_UNSPECIFIED, ENTRY_STATE_PENDING, ENTRY_STATE_RUNNING, ENTRY_STATE_WAITING, UNRECOGNIZED ->
                false;
        };
    }

    private static String shown(Phase phase) {
        return phase.name().replaceFirst("^PHASE_", "");
    }
}
