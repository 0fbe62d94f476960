package dev.runcast.worker.bridge;

import dev.runcast.workflow.FailureDetail;

/** How a workflow stands with its server. */
sealed interface WorkflowStanding {
    /**
     * It has not closed.
     *
     * @param waitsForWorker whether one of the agent's activities waits to be taken for the first time
     */
    record Running(boolean waitsForWorker) implements WorkflowStanding {}

    /**
     * It has closed.
     *
     * @param phase the terminal phase that follows from how it closed, without prefix
     * @param failure why, when it did not close with a result
     */
    record Closed(String phase, FailureDetail failure) implements WorkflowStanding {}

    /** The server does not know it. */
    record Unknown() implements WorkflowStanding {}
}
