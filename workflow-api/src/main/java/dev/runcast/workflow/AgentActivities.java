package dev.runcast.workflow;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityMethod;

/**
 * What whoever runs agents registers on the task queue, in Java or in any other language. docs/activities.md is the
 * contract in full.
 */
@ActivityInterface
public interface AgentActivities {
    /** The first activity's type in Temporal. */
    String ENSURE_THREAD = "EnsureThread";

    /** The second activity's type in Temporal. */
    String EXECUTE_GRAPHTON = "ExecuteGraphton";

    /** Failure type that says that nobody knows the agent; not retried. */
    String UNKNOWN_AGENT = "UNKNOWN_AGENT";

    /** Names the thread that keeps the agent's progress, creating it if need be. The same execution, the same thread. */
    @ActivityMethod(name = ENSURE_THREAD)
    ThreadResult ensureThread(ThreadRequest request);

    /** Runs the agent on its thread until it ends, has to wait for a person, or is told to stop. */
    @ActivityMethod(name = EXECUTE_GRAPHTON)
    AttemptResult executeGraphton(AttemptRequest request);
}
