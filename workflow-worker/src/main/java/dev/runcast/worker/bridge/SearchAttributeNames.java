package dev.runcast.worker.bridge;

import dev.runcast.workflow.ExecutionRequest;
import io.grpc.StatusRuntimeException;
import io.temporal.api.enums.v1.IndexedValueType;
import io.temporal.api.operatorservice.v1.ListSearchAttributesRequest;
import io.temporal.api.operatorservice.v1.OperatorServiceGrpc;
import io.temporal.client.WorkflowClient;
import io.temporal.common.SearchAttributeKey;
import io.temporal.common.SearchAttributes;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes workflows findable in Temporal where its server has the attributes; a server that has not rejects a start that
 * names them. Nothing depends on them. Thread-safe.
 */
final class SearchAttributeNames {
    private static final Logger LOG = LoggerFactory.getLogger(SearchAttributeNames.class);
    private static final SearchAttributeKey<String> TENANT = SearchAttributeKey.forKeyword("RuncastTenant");
    private static final SearchAttributeKey<String> EXECUTION = SearchAttributeKey.forKeyword("RuncastExecution");
    private static final SearchAttributeKey<String> AGENT = SearchAttributeKey.forKeyword("RuncastAgent");

    private final WorkflowClient client;
    private @Nullable Boolean known;

    SearchAttributeNames(WorkflowClient client) {
        this.client = client;
    }

    /** What a workflow is started with; null when the server has not all of them. */
    @Nullable
    SearchAttributes of(ExecutionRequest request) {
        return onServer()
                ? SearchAttributes.newBuilder()
                        .set(TENANT, request.tenant())
                        .set(EXECUTION, request.executionId())
                        .set(AGENT, request.agent())
                        .build()
                : null;
    }

    private synchronized boolean onServer() {
        if (known == null) {
            try {
                Map<String, IndexedValueType> all = OperatorServiceGrpc.newBlockingStub(
                                client.getWorkflowServiceStubs().getRawChannel())
                        .withDeadlineAfter(5, TimeUnit.SECONDS)
                        .listSearchAttributes(ListSearchAttributesRequest.newBuilder()
                                .setNamespace(client.getOptions().getNamespace())
                                .build())
                        .getCustomAttributesMap();
                known = all.containsKey(TENANT.getName())
                        && all.containsKey(EXECUTION.getName())
                        && all.containsKey(AGENT.getName());
            } catch (StatusRuntimeException e) {
                switch (e.getStatus().getCode()) {
                    case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED -> {
                        return false;
                    }
                    default -> known = false;
                }
            }
            LOG.info("Temporal's server has the search attributes of Runcast: {}", known);
        }
        return known;
    }
}
