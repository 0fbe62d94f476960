package dev.runcast.benchmarks;

import dev.runcast.workflow.AgentActivities;
import dev.runcast.workflow.AttemptRequest;
import dev.runcast.workflow.AttemptResult;
import dev.runcast.workflow.ThreadRequest;
import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
import io.temporal.failure.ApplicationFailure;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Workflows that do nothing but call two activities, one after the other: those that run an agent, on the queue of the
 * stack's own worker, or two that do nothing, which is the least that supervising could cost.
 */
final class BareWorkflows implements AutoCloseable {
    private static final String QUEUE = "bare";
    private static final String AGENTS_QUEUE = "execution";
    private static final int SLOTS = 20;

    /** What the workflows call. */
    enum Calling {
        /** Two activities of this process that do nothing. */
        NOTHING,
        /** The two that run an agent: the same code, the same worker and the same slots as under Runcast's workflow. */
        AGENT
    }

    /** The workflow. */
    @WorkflowInterface
    public interface Bare {
        /**
         * Calls one activity and then the other.
         *
         * @param executionId which execution the agent reports to; empty to do nothing
         */
        @WorkflowMethod
        void run(String executionId);
    }

    /** Activities that do nothing. */
    @ActivityInterface
    public interface Steps {
        /** Does nothing. */
        String first();

        /** Does nothing. */
        String second();
    }

    /** Its implementation. */
    public static final class BareImpl implements Bare {
        private final Steps steps =
                Workflow.newActivityStub(Steps.class, options().build());
        private final AgentActivities agents = Workflow.newActivityStub(
                AgentActivities.class, options().setTaskQueue(AGENTS_QUEUE).build());

        @Override
        public void run(String executionId) {
            if (executionId.isEmpty()) {
                steps.first();
                steps.second();
                return;
            }
            String thread = agents.ensureThread(
                            new ThreadRequest(WorkflowRow.TENANT, executionId, WorkflowRow.AGENT, ""))
                    .threadId();
            AttemptResult result = agents.executeGraphton(new AttemptRequest(
                    WorkflowRow.TENANT,
                    executionId,
                    WorkflowRow.AGENT,
                    "",
                    thread,
                    WorkflowRow.SAYS_ONE_THING,
                    0,
                    false,
                    0,
                    List.of()));
            if (result.status() != AttemptResult.Status.COMPLETED || !result.durable()) {
                throw ApplicationFailure.newNonRetryableFailure(
                        "the agent's result: " + result + " (expected: COMPLETED, durable)", "NOT_COMPLETED");
            }
        }

        private static ActivityOptions.Builder options() {
            return ActivityOptions.newBuilder().setStartToCloseTimeout(Duration.ofSeconds(30));
        }
    }

    private static final class StepsImpl implements Steps {
        @Override
        public String first() {
            return "";
        }

        @Override
        public String second() {
            return "";
        }
    }

    private final WorkflowServiceStubs service;
    private final WorkflowClient client;
    private final WorkerFactory workers;

    private BareWorkflows(WorkflowServiceStubs service) {
        this.service = service;
        this.client = WorkflowClient.newInstance(service);
        this.workers = WorkerFactory.newInstance(client);
        Worker worker = workers.newWorker(
                QUEUE,
                WorkerOptions.newBuilder()
                        .setMaxConcurrentActivityExecutionSize(SLOTS)
                        .build());
        worker.registerWorkflowImplementationTypes(BareImpl.class);
        worker.registerActivitiesImplementations(new StepsImpl());
        workers.start();
    }

    /** With workers in this process, on a server that is there. */
    static BareWorkflows on(String target) {
        return new BareWorkflows(WorkflowServiceStubs.newServiceStubs(
                WorkflowServiceStubsOptions.newBuilder().setTarget(target).build()));
    }

    /** All started at once; see {@link WorkflowRow#sustained}. */
    double perSecond(Calling calling, int many, ExecutorService callers) {
        List<CompletableFuture<Long>> ended = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            String id = calling == Calling.AGENT ? WorkflowRow.newId("bare") : "";
            ended.add(CompletableFuture.supplyAsync(() -> start(id), callers)
                    .thenCompose(workflow -> workflow.getResultAsync(Void.class))
                    .thenApply(done -> System.nanoTime()));
        }
        return WorkflowRow.sustained(
                ended.stream().mapToLong(CompletableFuture::join).toArray());
    }

    private WorkflowStub start(String executionId) {
        WorkflowStub workflow = client.newUntypedWorkflowStub(
                "Bare", WorkflowOptions.newBuilder().setTaskQueue(QUEUE).build());
        workflow.start(executionId);
        return workflow;
    }

    @Override
    public void close() {
        workers.shutdownNow();
        workers.awaitTermination(5, TimeUnit.SECONDS);
        service.shutdownNow();
    }
}
