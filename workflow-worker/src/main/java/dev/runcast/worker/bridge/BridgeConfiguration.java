package dev.runcast.worker.bridge;

import dev.runcast.topics.Isolation;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.worker.supervise.UpdateAppender;
import io.temporal.client.WorkflowClient;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.ExponentialBackOff;

/** What runs beside workflows: the bridge, and what appends the workflow's own updates. */
@Configuration(proxyBeanMethods = false)
@ConditionalOnProperty(name = "runcast.worker.workflows", matchIfMissing = true)
@EnableConfigurationProperties({KafkaSettings.class, BridgeSettings.class})
public class BridgeConfiguration {
    private static final Duration STOP = Duration.ofSeconds(10);
    private static final Duration COMMIT = Duration.ofSeconds(1);
    /** Readers that ask for each record alone cost the brokers more than all runners do; a lone record does not wait. */
    private static final Duration BETWEEN_POLLS = Duration.ofMillis(20);

    @Bean
    UpdateAppender updateAppender(KafkaSettings kafka) {
        TopicAdministration.ensure(kafka.clients(), kafka.layout(), kafka.timeout());
        return new UpdateAppender(kafka.clients(), InstantSource.system());
    }

    @Bean
    LiveExecutions liveExecutions() {
        return new LiveExecutions(InstantSource.system());
    }

    @Bean
    ExecutionTable executionTable(KafkaSettings kafka, LiveExecutions live, UpdateAppender afterTheTopicsAreThere) {
        return new ExecutionTable(kafka.clients(), live);
    }

    @Bean(destroyMethod = "shutdownNow")
    ExecutorService bridgeCallers(BridgeSettings settings) {
        return Executors.newFixedThreadPool(settings.callers(), task -> {
            Thread thread = new Thread(task, "runcast-bridge-call");
            thread.setDaemon(true);
            return thread;
        });
    }

    @Bean
    Workflows workflows(
            WorkflowClient client,
            BridgeSettings settings,
            @Value("${runcast.worker.task-queue:execution}") String queue) {
        return new Workflows(client, settings, queue, queue + "-log", new SearchAttributeNames(client));
    }

    @Bean
    Reconciliation reconciliation(
            KafkaSettings kafka,
            BridgeSettings settings,
            WorkflowClient client,
            LiveExecutions live,
            UpdateAppender appender,
            @Value("${runcast.worker.task-queue:execution}") String queue) {
        return new Reconciliation(
                live,
                new WorkflowStandings(client),
                new BridgeProgress(kafka.clients(), settings.group()),
                appender,
                queue,
                settings.reconcileInterval(),
                InstantSource.system());
    }

    @Bean
    ConcurrentMessageListenerContainer<byte[], byte[]> bridgeFeed(
            KafkaSettings kafka,
            BridgeSettings settings,
            Workflows workflows,
            LiveExecutions live,
            UpdateAppender appender,
            ExecutorService bridgeCallers) {
        Bridge bridge =
                new Bridge(workflows, live, appender, bridgeCallers, settings.lateAfter(), InstantSource.system());
        Map<String, Object> consumer =
                kafka.clients().consumer(settings.group(), settings.group(), Isolation.UNCOMMITTED);
        consumer.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        ContainerProperties properties = new ContainerProperties(Topic.CHANGES.topicName());
        properties.setGroupId(settings.group());
        properties.setClientId(settings.group());
        properties.setMessageListener(bridge);
        // What is read again after a crash is known to Temporal by its ids.
        properties.setAckMode(ContainerProperties.AckMode.TIME);
        properties.setAckTime(COMMIT.toMillis());
        properties.setIdleBetweenPolls(BETWEEN_POLLS.toMillis());
        // Due commits are made between two polls.
        properties.setPollTimeout(COMMIT.toMillis());
        properties.setShutdownTimeout(STOP.toMillis());
        ConcurrentMessageListenerContainer<byte[], byte[]> container =
                new ConcurrentMessageListenerContainer<>(new DefaultKafkaConsumerFactory<>(consumer), properties);
        // A thread for each partition: what one waits for does not hold up another.
        container.setConcurrency(settings.concurrency());
        container.setBeanName("bridge");
        container.setCommonErrorHandler(forEver(settings));
        return container;
    }

    /** The consumer is paused and keeps polling meanwhile, so that it keeps its partitions. */
    private static DefaultErrorHandler forEver(BridgeSettings settings) {
        ExponentialBackOff backOff = new ExponentialBackOff(200, 2);
        backOff.setMaxInterval(settings.maxRetryInterval().toMillis());
        backOff.setMaxElapsedTime(Long.MAX_VALUE);
        backOff.setMaxAttempts(Long.MAX_VALUE);
        DefaultErrorHandler handler = new DefaultErrorHandler(
                (record, error) -> {
                    throw new IllegalStateException("a retry without end has ended", error);
                },
                backOff);
        handler.setClassifications(Map.of(), true);
        return handler;
    }
}
