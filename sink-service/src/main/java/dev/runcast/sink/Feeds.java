package dev.runcast.sink;

import dev.runcast.topics.Isolation;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.Topic;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.BatchConsumerAwareMessageListener;
import org.springframework.kafka.listener.CommonErrorHandler;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.util.backoff.ExponentialBackOff;

/** The readers of the feeds, each with its own group and threads. */
final class Feeds {
    private static final Duration STOP = Duration.ofSeconds(15);
    private static final Duration LIVE_COMMIT = Duration.ofSeconds(1);

    private final KafkaSettings kafka;
    private final SinkSettings settings;

    Feeds(KafkaSettings kafka, SinkSettings settings) {
        this.kafka = kafka;
        this.settings = settings;
    }

    /** Reads what is committed, from the beginning, and tries a poll again until it succeeds. */
    ConcurrentMessageListenerContainer<byte[], byte[]> durable(
            String name, Topic topic, BatchConsumerAwareMessageListener<byte[], byte[]> listener) {
        ConcurrentMessageListenerContainer<byte[], byte[]> container =
                container(name, topic, Isolation.COMMITTED, "earliest", listener);
        container.setCommonErrorHandler(forEver());
        return container;
    }

    /** Reads what is there, committed or not, from now on. */
    ConcurrentMessageListenerContainer<byte[], byte[]> live(
            String name, Topic topic, BatchConsumerAwareMessageListener<byte[], byte[]> listener) {
        ConcurrentMessageListenerContainer<byte[], byte[]> container =
                container(name, topic, Isolation.UNCOMMITTED, "latest", listener);
        // People wait for the next poll; what is announced twice after a crash harms nobody.
        container.getContainerProperties().setAckMode(ContainerProperties.AckMode.TIME);
        container.getContainerProperties().setAckTime(LIVE_COMMIT.toMillis());
        return container;
    }

    private ConcurrentMessageListenerContainer<byte[], byte[]> container(
            String name,
            Topic topic,
            Isolation isolation,
            String begin,
            BatchConsumerAwareMessageListener<byte[], byte[]> listener) {
        String group = settings.group() + '-' + name;
        Map<String, Object> consumer = kafka.clients().consumer(group, group, isolation);
        consumer.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, begin);
        consumer.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, settings.maxPollRecords());
        consumer.put(
                ConsumerConfig.FETCH_MAX_BYTES_CONFIG, (int) settings.maxFetch().toBytes());
        ContainerProperties properties = new ContainerProperties(topic.topicName());
        properties.setGroupId(group);
        properties.setClientId(group);
        properties.setMessageListener(listener);
        if (listener instanceof ConsumerAwareRebalanceListener rebalances) {
            properties.setConsumerRebalanceListener(rebalances);
        }
        properties.setAckMode(ContainerProperties.AckMode.BATCH);
        properties.setShutdownTimeout(STOP.toMillis());
        ConcurrentMessageListenerContainer<byte[], byte[]> container =
                new ConcurrentMessageListenerContainer<>(new DefaultKafkaConsumerFactory<>(consumer), properties);
        container.setConcurrency(settings.concurrency());
        container.setBeanName(name);
        return container;
    }

    /** The consumer is paused and keeps polling meanwhile, so that it keeps its partitions. */
    private CommonErrorHandler forEver() {
        ExponentialBackOff backOff = new ExponentialBackOff(200, 2);
        backOff.setMaxInterval(settings.maxRetryInterval().toMillis());
        backOff.setMaxElapsedTime(Long.MAX_VALUE);
        backOff.setMaxAttempts(Long.MAX_VALUE);
        DefaultErrorHandler handler = new DefaultErrorHandler(
                (record, error) -> {
                    throw new IllegalStateException("a retry without end has ended", error);
                },
                backOff);
        // By default some exceptions are taken for hopeless, and what they came from is passed over.
        handler.setClassifications(Map.of(), true);
        return handler;
    }
}
