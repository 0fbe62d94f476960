package dev.runcast.worker;

import dev.runcast.worker.agent.ReferenceRunner;
import dev.runcast.worker.agent.RunnerSettings;
import dev.runcast.worker.bridge.BridgeConfiguration;
import dev.runcast.worker.supervise.InvokeAgentExecutionWorkflowImpl;
import dev.runcast.worker.supervise.KafkaLogActivities;
import dev.runcast.worker.supervise.UpdateAppender;
import io.temporal.client.WorkflowClient;
import io.temporal.serviceclient.RpcRetryOptions;
import io.temporal.serviceclient.WorkflowServiceStubsOptions;
import io.temporal.spring.boot.TemporalOptionsCustomizer;
import io.temporal.spring.boot.autoconfigure.RootNamespaceAutoConfiguration;
import io.temporal.spring.boot.autoconfigure.ServiceStubsAutoConfiguration;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jackson.JacksonEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementContextAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.availability.ApplicationAvailabilityAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.context.ConfigurationPropertiesAutoConfiguration;
import org.springframework.boot.autoconfigure.context.LifecycleAutoConfiguration;
import org.springframework.boot.autoconfigure.context.PropertyPlaceholderAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.AvailabilityProbesAutoConfiguration;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.application.AvailabilityHealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.http.codec.autoconfigure.CodecsAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsEndpointAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.jvm.JvmMetricsAutoConfiguration;
import org.springframework.boot.reactor.netty.autoconfigure.NettyReactiveWebServerAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.HttpHandlerAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.WebFluxAutoConfiguration;
import org.springframework.boot.webflux.autoconfigure.actuate.endpoint.web.WebFluxHealthEndpointExtensionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

/**
 * The workers as a service: workflows with the bridge, agents, or both in one process. What it is made of is listed here
 * instead of being found on the classpath, because all services can share one classpath and one JVM.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableConfigurationProperties({WorkerSettings.class, RunnerSettings.class})
@Import(BridgeConfiguration.class)
@ImportAutoConfiguration({
    ApplicationAvailabilityAutoConfiguration.class,
    AvailabilityHealthContributorAutoConfiguration.class,
    AvailabilityProbesAutoConfiguration.class,
    CodecsAutoConfiguration.class,
    CompositeMeterRegistryAutoConfiguration.class,
    ConfigurationPropertiesAutoConfiguration.class,
    EndpointAutoConfiguration.class,
    HealthContributorAutoConfiguration.class,
    HealthContributorRegistryAutoConfiguration.class,
    HealthEndpointAutoConfiguration.class,
    HttpHandlerAutoConfiguration.class,
    JacksonAutoConfiguration.class,
    JacksonEndpointAutoConfiguration.class,
    JvmMetricsAutoConfiguration.class,
    LifecycleAutoConfiguration.class,
    ManagementContextAutoConfiguration.class,
    MetricsAutoConfiguration.class,
    MetricsEndpointAutoConfiguration.class,
    NettyReactiveWebServerAutoConfiguration.class,
    PropertyPlaceholderAutoConfiguration.class,
    RootNamespaceAutoConfiguration.class,
    ServiceStubsAutoConfiguration.class,
    SimpleMetricsExportAutoConfiguration.class,
    WebEndpointAutoConfiguration.class,
    WebFluxAutoConfiguration.class,
    WebFluxHealthEndpointExtensionAutoConfiguration.class,
})
public class WorkflowWorkerApplication {
    /** Under this name the service's defaults and an operator's file are found: {@code workflow-worker.properties}. */
    public static final String CONFIG_NAME = "workflow-worker";

    /** One call to Temporal, its retries included: whoever calls tries again by itself. */
    private static final Duration CALL = Duration.ofSeconds(5);

    /** Starts the service. */
    public static void main(String[] args) {
        builder().run(args);
    }

    /** For whoever runs it beside other services in one JVM; more properties may be added. */
    public static SpringApplicationBuilder builder() {
        return new SpringApplicationBuilder(WorkflowWorkerApplication.class)
                .properties(Map.of("spring.config.name", CONFIG_NAME, "spring.main.banner-mode", "off"));
    }

    @Bean
    TemporalOptionsCustomizer<WorkflowServiceStubsOptions.Builder> callsThatEnd() {
        return options -> options.setRpcRetryOptions(RpcRetryOptions.newBuilder()
                .setInitialInterval(Duration.ofMillis(50))
                .setMaximumInterval(Duration.ofSeconds(1))
                .setExpiration(CALL)
                .build());
    }

    @Bean
    @ConditionalOnProperty(name = "runcast.worker.activities", matchIfMissing = true)
    ReferenceRunner referenceRunner(RunnerSettings settings) {
        return new ReferenceRunner(settings);
    }

    @Bean
    TemporalWorkers temporalWorkers(
            WorkflowClient client,
            WorkerSettings settings,
            ObjectProvider<UpdateAppender> appender,
            ObjectProvider<ReferenceRunner> runner) {
        UpdateAppender log = appender.getIfAvailable();
        ReferenceRunner agents = runner.getIfAvailable();
        List<TemporalWorkers.Queue> queues = new ArrayList<>();
        queues.add(new TemporalWorkers.Queue(settings.taskQueue(), options(settings), worker -> {
            if (log != null) {
                worker.registerWorkflowImplementationTypes(InvokeAgentExecutionWorkflowImpl.class);
            }
            if (agents != null) {
                worker.registerActivitiesImplementations(agents);
            }
        }));
        if (log != null) {
            queues.add(new TemporalWorkers.Queue(
                    settings.logQueue(),
                    WorkerOptions.getDefaultInstance(),
                    (Worker worker) -> worker.registerActivitiesImplementations(new KafkaLogActivities(log))));
        }
        return new TemporalWorkers(client, queues, settings.stopTimeout());
    }

    private static WorkerOptions options(WorkerSettings settings) {
        return WorkerOptions.newBuilder()
                .setMaxConcurrentActivityExecutionSize(settings.slots())
                // Heartbeats bring cancels; by default they are held back for most of the heartbeat timeout.
                .setMaxHeartbeatThrottleInterval(settings.heartbeatThrottle())
                .setDefaultHeartbeatThrottleInterval(settings.heartbeatThrottle())
                .build();
    }

    /** Ready when the workers take work. */
    @Bean
    HealthIndicator temporalWorkersHealthIndicator(TemporalWorkers workers) {
        return () ->
                workers.working() ? Health.up().build() : Health.outOfService().build();
    }
}
