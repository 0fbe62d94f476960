package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.worker.bridge.WorkflowStanding.Closed;
import dev.runcast.worker.bridge.WorkflowStanding.Running;
import dev.runcast.worker.bridge.WorkflowStanding.Unknown;
import dev.runcast.workflow.ExecutionResult;
import dev.runcast.workflow.FailureDetail;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.temporal.api.common.v1.WorkflowExecution;
import io.temporal.api.enums.v1.HistoryEventFilterType;
import io.temporal.api.enums.v1.PendingActivityState;
import io.temporal.api.enums.v1.WorkflowExecutionStatus;
import io.temporal.api.history.v1.HistoryEvent;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionRequest;
import io.temporal.api.workflowservice.v1.DescribeWorkflowExecutionResponse;
import io.temporal.api.workflowservice.v1.GetWorkflowExecutionHistoryRequest;
import io.temporal.api.workflowservice.v1.WorkflowServiceGrpc.WorkflowServiceBlockingStub;
import io.temporal.client.WorkflowClient;
import io.temporal.common.converter.DataConverterException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Asks Temporal about workflows, by their ids and never by its visibility, which may lag or not exist. Thread-safe. */
final class WorkflowStandings {
    private final WorkflowClient client;

    WorkflowStandings(WorkflowClient client) {
        this.client = client;
    }

    /** @throws StatusRuntimeException when Temporal does not answer */
    WorkflowStanding of(ExecutionKey key) {
        WorkflowExecution workflow =
                WorkflowExecution.newBuilder().setWorkflowId(Workflows.id(key)).build();
        DescribeWorkflowExecutionResponse described;
        try {
            described = stub().describeWorkflowExecution(DescribeWorkflowExecutionRequest.newBuilder()
                    .setNamespace(client.getOptions().getNamespace())
                    .setExecution(workflow)
                    .build());
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return new Unknown();
            }
            throw e;
        }
        WorkflowExecutionStatus status = described.getWorkflowExecutionInfo().getStatus();
        if (status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING) {
            boolean waits = described.getPendingActivitiesList().stream()
                    .anyMatch(activity -> activity.getState() == PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
                            && activity.getAttempt() <= 1
                            && !activity.getActivityType().getName().equals("AppendUpdate"));
            return new Running(waits);
        }
        return closed(described.getWorkflowExecutionInfo().getExecution(), status);
    }

    private Closed closed(WorkflowExecution run, WorkflowExecutionStatus status) {
        List<HistoryEvent> events = stub().getWorkflowExecutionHistory(GetWorkflowExecutionHistoryRequest.newBuilder()
                        .setNamespace(client.getOptions().getNamespace())
                        .setExecution(run)
                        .setHistoryEventFilterType(HistoryEventFilterType.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
                        .build())
                .getHistory()
                .getEventsList();
        HistoryEvent last = events.isEmpty() ? HistoryEvent.getDefaultInstance() : events.get(events.size() - 1);
        return switch (status) {
            case WORKFLOW_EXECUTION_STATUS_COMPLETED -> completed(last);
            case WORKFLOW_EXECUTION_STATUS_CANCELED -> new Closed("CANCELLED", FailureDetail.NONE);
            case WORKFLOW_EXECUTION_STATUS_TERMINATED -> {
                String reason =
                        last.getWorkflowExecutionTerminatedEventAttributes().getReason();
                yield new Closed(
                        "TERMINATED",
                        new FailureDetail(
                                "WORKFLOW_TERMINATED",
                                "the workflow was terminated in Temporal" + (reason.isEmpty() ? "" : ": " + reason),
                                true));
            }
            case WORKFLOW_EXECUTION_STATUS_TIMED_OUT ->
                new Closed("FAILED", new FailureDetail("WORKFLOW_TIMED_OUT", "the workflow timed out", true));
            default -> {
                String message = last.getWorkflowExecutionFailedEventAttributes()
                        .getFailure()
                        .getMessage();
                yield new Closed(
                        "FAILED", new FailureDetail("WORKFLOW_FAILED", "the workflow failed: " + message, true));
            }
        };
    }

    private Closed completed(HistoryEvent last) {
        try {
            ExecutionResult result = client.getOptions()
                    .getDataConverter()
                    .fromPayloads(
                            0,
                            Optional.of(last.getWorkflowExecutionCompletedEventAttributes()
                                    .getResult()),
                            ExecutionResult.class,
                            ExecutionResult.class);
            if (result != null) {
                return new Closed(result.phase(), result.failure());
            }
        } catch (DataConverterException e) {
            return new Closed(
                    "FAILED", new FailureDetail("WORKFLOW_FAILED", "the workflow's result cannot be read", true));
        }
        return new Closed("FAILED", new FailureDetail("WORKFLOW_FAILED", "the workflow has no result", true));
    }

    private WorkflowServiceBlockingStub stub() {
        return client.getWorkflowServiceStubs().blockingStub().withDeadlineAfter(10, TimeUnit.SECONDS);
    }
}
