package dev.runcast.workflow;

import io.temporal.workflow.SignalMethod;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;

/**
 * Starts one execution's agent and supervises it until the execution has ended. It is started and told by the bridge
 * alone, from the change feed; people ask Runcast, not Temporal.
 */
@WorkflowInterface
public interface InvokeAgentExecutionWorkflow {
    /** The workflow's type in Temporal. */
    String TYPE = "InvokeAgentExecutionWorkflow";

    /** The signal's name in Temporal. */
    String EXECUTION_CHANGED = "executionChanged";

    /** Runs until the execution has ended; the result is small. */
    @WorkflowMethod(name = TYPE)
    ExecutionResult invoke(ExecutionRequest request);

    /** A change of the execution that matters to the workflow. One with a version that it has seen is ignored. */
    @SignalMethod(name = EXECUTION_CHANGED)
    void executionChanged(ExecutionNews news);
}
