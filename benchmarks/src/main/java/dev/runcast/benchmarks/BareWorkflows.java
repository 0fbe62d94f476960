package dev.runcast.benchmarks;

import io.temporal.activity.ActivityInterface;
import io.temporal.activity.ActivityOptions;
import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.client.WorkflowStub;
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

/** Workflows that do nothing but call two activities that do nothing: the least that supervising could cost. */
final class BareWorkflows implements AutoCloseable {
    private static final String QUEUE = "bare";
    private static final int SLOTS = 20;

    /** The workflow. */
    @WorkflowInterface
    public interface Bare {
        /** Calls one activity and then the other. */
        @WorkflowMethod
        void run();
    }

    /** Its activities. */
    @ActivityInterface
    public interface Steps {
        /** Does nothing. */
        String first();

        /** Does nothing. */
        String second();
    }

    /** Its implementation. */
    public static final class BareImpl implements Bare {
        private final Steps steps = Workflow.newActivityStub(
                Steps.class,
                ActivityOptions.newBuilder()
                        .setStartToCloseTimeout(Duration.ofSeconds(30))
                        .build());

        @Override
        public void run() {
            steps.first();
            steps.second();
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
    double perSecond(int many, ExecutorService callers) {
        List<CompletableFuture<Long>> ended = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            ended.add(CompletableFuture.supplyAsync(this::start, callers)
                    .thenCompose(workflow -> workflow.getResultAsync(Void.class))
                    .thenApply(done -> System.nanoTime()));
        }
        return WorkflowRow.sustained(
                ended.stream().mapToLong(CompletableFuture::join).toArray());
    }

    private WorkflowStub start() {
        WorkflowStub workflow = client.newUntypedWorkflowStub(
                "Bare", WorkflowOptions.newBuilder().setTaskQueue(QUEUE).build());
        workflow.start();
        return workflow;
    }

    @Override
    public void close() {
        workers.shutdownNow();
        workers.awaitTermination(5, TimeUnit.SECONDS);
        service.shutdownNow();
    }
}
