package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.workflow.ExecutionRequest;
import dev.runcast.workflow.InvokeAgentExecutionWorkflow;
import dev.runcast.workflow.WorkflowIds;
import io.temporal.api.enums.v1.WorkflowIdReusePolicy;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowExecutionAlreadyStarted;
import io.temporal.client.WorkflowNotFoundException;
import io.temporal.client.WorkflowOptions;
import io.temporal.common.SearchAttributes;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;

/** Starts and tells workflows. Every call may be repeated. Thread-safe. */
final class Workflows {
    private final WorkflowClient client;
    private final BridgeSettings settings;
    private final String taskQueue;
    private final String logQueue;
    private final SearchAttributeNames searchAttributes;

    Workflows(
            WorkflowClient client,
            BridgeSettings settings,
            String taskQueue,
            String logQueue,
            SearchAttributeNames searchAttributes) {
        this.client = client;
        this.settings = settings;
        this.taskQueue = taskQueue;
        this.logQueue = logQueue;
        this.searchAttributes = searchAttributes;
    }

    /** Starts the workflow of an execution unless it has been started before, however it fared. */
    void start(Errand.Start start) {
        ExecutionRequest request = request(start.key(), start.execution(), start.version(), false);
        try {
            client.newUntypedWorkflowStub(
                            InvokeAgentExecutionWorkflow.TYPE,
                            options(request, WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE))
                    .start(request);
        } catch (WorkflowExecutionAlreadyStarted already) {
            // By whoever read the change before.
        }
    }

    /** Tells the workflow; one that has closed needs no telling. */
    void tell(Errand.Tell tell) {
        try {
            client.newUntypedWorkflowStub(id(tell.key()))
                    .signal(InvokeAgentExecutionWorkflow.EXECUTION_CHANGED, tell.news());
        } catch (WorkflowNotFoundException closed) {
            // Or lost with its server: the reconciliation sees to that.
        }
    }

    /** Tells the workflow, or starts it anew if it has closed: in one step, so that it cannot close between the two. */
    void recover(Errand.Recover recover) {
        // The request is of the version before, so that the news are news to it.
        ExecutionRequest request = request(recover.key(), recover.execution(), recover.version() - 1, true);
        client.newUntypedWorkflowStub(
                        InvokeAgentExecutionWorkflow.TYPE,
                        options(request, WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE))
                .signalWithStart(
                        InvokeAgentExecutionWorkflow.EXECUTION_CHANGED,
                        new Object[] {recover.news()},
                        new Object[] {request});
    }

    private ExecutionRequest request(ExecutionKey key, Execution execution, long version, boolean recovery) {
        ExecutionSpec spec = execution.getSpec();
        long newest = execution.getEpoch() > 0 ? execution.getEpoch() + 1 : 0;
        return new ExecutionRequest(
                key.tenant(),
                key.executionId(),
                spec.getAgent(),
                spec.getSessionId(),
                spec.getInput(),
                version,
                Math.max(newest, execution.getMinimumEpoch()),
                !recovery && execution.getPhase() == Phase.PHASE_PAUSED,
                !recovery && execution.getCancelRequested(),
                0,
                settings.policy(logQueue, pageUrl(id(key))),
                null);
    }

    private WorkflowOptions options(ExecutionRequest request, WorkflowIdReusePolicy reuse) {
        WorkflowOptions.Builder options = WorkflowOptions.newBuilder()
                .setWorkflowId(WorkflowIds.of(request.tenant(), request.executionId()))
                .setTaskQueue(taskQueue)
                .setWorkflowIdReusePolicy(reuse)
                .setStaticSummary((request.agent().isEmpty() ? "agent" : request.agent()) + " for " + request.tenant()
                        + "/" + request.executionId());
        SearchAttributes attributes = searchAttributes.of(request);
        return (attributes == null ? options : options.setTypedSearchAttributes(attributes)).build();
    }

    private String pageUrl(String workflowId) {
        return settings.webUrl().isEmpty()
                ? ""
                : settings.webUrl().replaceFirst("/+$", "") + "/namespaces/"
                        + encoded(client.getOptions().getNamespace()) + "/workflows/" + encoded(workflowId);
    }

    private static String encoded(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }

    static String id(ExecutionKey key) {
        return WorkflowIds.of(key.tenant(), key.executionId());
    }
}
