package dev.runcast.merge;

import dev.runcast.v1.Update;
import org.jspecify.annotations.Nullable;

/** The one place that knows every kind of update. A kind added to the contract does not compile until it stands here. */
final class Kinds {
    private Kinds() {}

    static @Nullable Refusal apply(Work work, Update update) {
        return switch (update.getChangeCase()) {
            case DECLARED -> Declarations.declared(work, update.getDeclared());
            case ATTEMPT_STARTED -> Lifecycle.attemptStarted(work, update.getAttemptStarted());
            case PHASE_CHANGED -> Lifecycle.phaseChanged(work, update.getPhaseChanged());
            case RECOVERED -> Lifecycle.recovered(work, update.getRecovered());
            case EXECUTION_PATCHED -> Declarations.patch(work, update.getExecutionPatched());
            case ENTRY_UPSERTED -> Entries.upsert(work, update.getEntryUpserted());
            case TODOS_REPLACED -> Todos.replaced(work, update.getTodosReplaced());
            case TEXT_APPENDED -> Entries.append(work, update.getTextAppended());
            case APPROVAL_DECIDED -> Approvals.decided(work, update.getApprovalDecided());
            case CONTROL_REQUESTED -> Controls.requested(work, update.getControlRequested());
            case VERDICT -> Controls.verdict(work, update.getVerdict());
            case OMITTED -> omitted(work, update.getOmitted().getCount());
            case CHANGE_NOT_SET -> Refusal.invalid("change", "\"\"", "a kind of change this build knows");
        };
    }

    private static @Nullable Refusal omitted(Work work, long count) {
        work.omitted = count;
        work.execution.omittedUpdates += count;
        return null;
    }
}
