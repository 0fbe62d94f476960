package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.temporal.client.WorkflowClient;
import io.temporal.client.WorkflowOptions;
import io.temporal.serviceclient.WorkflowServiceStubs;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.worker.WorkerFactory;
import io.temporal.workflow.Workflow;
import io.temporal.workflow.WorkflowInterface;
import io.temporal.workflow.WorkflowMethod;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class EmbeddedTemporalIT {

    @Test
    void aWorkflowRunsInRealTimeBeforeAndAfterARestart() {
        try (EmbeddedTemporal temporal = EmbeddedTemporal.start(0)) {
            long begin = System.nanoTime();
            assertThat(greet(temporal)).isEqualTo("hello");
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThan(Duration.ofSeconds(1));
            temporal.restart();
            assertThat(greet(temporal)).isEqualTo("hello");
        }
    }

    @Test
    void twoRunInOneProcess() {
        try (EmbeddedTemporal first = EmbeddedTemporal.start(0);
                EmbeddedTemporal second = EmbeddedTemporal.start(0)) {
            assertThat(first.target()).isNotEqualTo(second.target());
            assertThat(greet(second)).isEqualTo("hello");
        }
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(FreePorts.loopback(), FreePorts.free()));
            assertThatThrownBy(() -> EmbeddedTemporal.start(other.getLocalPort()))
                    .isInstanceOf(EmbeddedServerException.class)
                    .hasMessageContaining("Temporal port: " + other.getLocalPort() + " is taken");
        }
    }

    private static String greet(EmbeddedTemporal temporal) {
        WorkflowServiceStubs stubs = WorkflowServiceStubs.newConnectedServiceStubs(
                WorkflowServiceStubsOptions.newBuilder()
                        .setTarget(temporal.target())
                        .build(),
                Duration.ofSeconds(10));
        try {
            WorkflowClient client = WorkflowClient.newInstance(stubs);
            WorkerFactory workers = WorkerFactory.newInstance(client);
            workers.newWorker("queue").registerWorkflowImplementationTypes(GreetingAfterASecond.class);
            workers.start();
            try {
                return client.newWorkflowStub(
                                Greeting.class,
                                WorkflowOptions.newBuilder()
                                        .setTaskQueue("queue")
                                        .setWorkflowId("greeting")
                                        .build())
                        .greet();
            } finally {
                workers.shutdownNow();
            }
        } finally {
            stubs.shutdownNow();
        }
    }

    /** Greets. */
    @WorkflowInterface
    public interface Greeting {

        /** Waits a second on the server's clock first. */
        @WorkflowMethod
        String greet();
    }

    /** The implementation the worker runs. */
    public static final class GreetingAfterASecond implements Greeting {

        @Override
        public String greet() {
            Workflow.sleep(Duration.ofSeconds(1));
            return "hello";
        }
    }
}
