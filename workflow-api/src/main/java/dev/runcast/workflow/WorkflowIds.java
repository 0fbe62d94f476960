package dev.runcast.workflow;

/** How workflows are named. */
public final class WorkflowIds {
    private static final String PREFIX = "agent-execution/";

    private WorkflowIds() {}

    /** The id of an execution's workflow: {@code agent-execution/tenant/execution}. */
    public static String of(String tenant, String executionId) {
        return PREFIX + tenant + "/" + executionId;
    }
}
