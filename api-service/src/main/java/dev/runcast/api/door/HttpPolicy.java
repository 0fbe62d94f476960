package dev.runcast.api.door;

import dev.runcast.doors.Policy;
import dev.runcast.v1.ExecutionServiceGrpc;
import java.util.List;

/** Who may call which HTTP route: what gRPC's table says of the method that the route stands for. */
final class HttpPolicy {
    /** By method and pattern, such as {@code GET /v1/executions/{id}}. HEAD is as GET. */
    static final Policy ROUTES = Policy.builder()
            .like("GET /v1/executions", Policy.GRPC, ExecutionServiceGrpc.getListExecutionsMethod())
            .like("POST /v1/executions", Policy.GRPC, ExecutionServiceGrpc.getCreateExecutionMethod())
            .like("GET /v1/executions:watch", Policy.GRPC, ExecutionServiceGrpc.getWatchExecutionsMethod())
            .like("GET /v1/executions/{id}", Policy.GRPC, ExecutionServiceGrpc.getGetExecutionMethod())
            .like("GET /v1/executions/{id}/entries", Policy.GRPC, ExecutionServiceGrpc.getListEntriesMethod())
            .like("GET /v1/executions/{id}/changes", Policy.GRPC, ExecutionServiceGrpc.getListChangesMethod())
            .like("GET /v1/executions/{id}/rejected", Policy.GRPC, ExecutionServiceGrpc.getListRejectedUpdatesMethod())
            .like("GET /v1/executions/{id}:watch", Policy.GRPC, ExecutionServiceGrpc.getWatchExecutionMethod())
            .like("POST /v1/executions/{id}:cancel", Policy.GRPC, ExecutionServiceGrpc.getCancelExecutionMethod())
            .like("POST /v1/executions/{id}:pause", Policy.GRPC, ExecutionServiceGrpc.getPauseExecutionMethod())
            .like("POST /v1/executions/{id}:resume", Policy.GRPC, ExecutionServiceGrpc.getResumeExecutionMethod())
            .like("POST /v1/executions/{id}:recover", Policy.GRPC, ExecutionServiceGrpc.getRecoverExecutionMethod())
            .like(
                    "POST /v1/executions/{id}/approvals/{approval}:decide",
                    Policy.GRPC,
                    ExecutionServiceGrpc.getDecideApprovalMethod())
            // The page has nothing of anybody in it; what it shows it asks for with the viewer's token.
            .open("GET /")
            // Up or not, for whoever restarts and balances; never why.
            .open("GET /actuator/health")
            .open("GET /actuator/health/{*path}")
            .build();

    /** The rows of what Spring Boot serves beside our routes. */
    static final List<String> ACTUATOR = List.of("GET /actuator/health", "GET /actuator/health/{*path}");

    private HttpPolicy() {}
}
