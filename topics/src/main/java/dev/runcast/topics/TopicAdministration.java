package dev.runcast.topics;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates the topics that are missing and checks those that exist. Every service calls
 * {@link #ensure} when it starts, in any order and at the same time.
 */
public final class TopicAdministration {
    private static final Logger LOG = LoggerFactory.getLogger(TopicAdministration.class);

    private final Admin admin;
    private final Duration timeout;

    /**
     * Works through a client that stays the caller's to close.
     *
     * @param timeout the longest that one call to the brokers may take
     */
    public TopicAdministration(Admin admin, Duration timeout) {
        this.admin = admin;
        this.timeout = timeout;
    }

    /** Opens a client, does {@link #ensure(TopicLayout)}, and closes it. */
    public static Map<Topic, Integer> ensure(ClientSettings settings, TopicLayout layout, Duration timeout) {
        Admin admin = Admin.create(settings.admin("runcast-topics"));
        try {
            return new TopicAdministration(admin, timeout).ensure(layout);
        } finally {
            // Without a bound it would wait for calls that nobody waits for any more.
            admin.close(Duration.ofSeconds(1));
        }
    }

    /**
     * Creates what is missing from {@link Topic} and checks what exists. Returns when every topic can
     * be described.
     *
     * @return the partition count of each topic
     * @throws TopicMismatchException when an existing topic cannot be used as it is
     * @throws IllegalStateException when the brokers cannot be reached in time or refuse
     */
    public Map<Topic, Integer> ensure(TopicLayout layout) {
        Map<Topic, Integer> existing = partitionCounts();
        if (Arrays.stream(Topic.values()).noneMatch(topic -> topic.coPartitioned() && existing.containsKey(topic))) {
            // The others follow this one's count, which another service may be choosing right now.
            create(List.of(missing(Topic.UPDATES, layout, layout.partitions())));
            existing.putAll(awaitAll(EnumSet.of(Topic.UPDATES)));
        }
        int coPartitions = Arrays.stream(Topic.values())
                .filter(topic -> topic.coPartitioned() && existing.containsKey(topic))
                .mapToInt(existing::get)
                .findFirst()
                .orElseThrow();
        create(Arrays.stream(Topic.values())
                .filter(topic -> !existing.containsKey(topic))
                .map(topic -> missing(topic, layout, topic.coPartitioned() ? coPartitions : layout.partitions()))
                .toList());
        Map<Topic, Integer> counts = awaitAll(EnumSet.allOf(Topic.class));
        checkCoPartitioned(counts);
        checkConfigs();
        return counts;
    }

    private static NewTopic missing(Topic topic, TopicLayout layout, int partitions) {
        return new NewTopic(topic.topicName(), partitions, (short) layout.replicationFactor())
                .configs(topic.configs(layout.replicationFactor()));
    }

    private void create(List<NewTopic> missing) {
        if (missing.isEmpty()) {
            return;
        }
        admin.createTopics(missing).values().forEach((name, future) -> {
            try {
                future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
                LOG.info("Created topic {}", name);
            } catch (ExecutionException e) {
                // Another service, starting at the same time, was faster.
                if (!(e.getCause() instanceof TopicExistsException)) {
                    throw new IllegalStateException("topic " + name + ": cannot be created: " + reason(e), e);
                }
            } catch (TimeoutException e) {
                throw unreachable("create topic " + name, e);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        });
    }

    /** Creation is acknowledged by the controller before every broker has heard of it. */
    private Map<Topic, Integer> awaitAll(Set<Topic> wanted) {
        long deadline = System.nanoTime() + timeout.toNanos();
        while (true) {
            Map<Topic, Integer> counts = partitionCounts();
            if (counts.keySet().containsAll(wanted)) {
                return counts;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(
                        "topics: only " + counts.keySet() + " after " + timeout + " (expected: all of " + wanted + ")");
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
    }

    private Map<Topic, Integer> partitionCounts() {
        Map<Topic, Integer> counts = new EnumMap<>(Topic.class);
        Map<String, KafkaFuture<TopicDescription>> descriptions = admin.describeTopics(
                        Arrays.stream(Topic.values()).map(Topic::topicName).toList())
                .topicNameValues();
        for (Topic topic : Topic.values()) {
            KafkaFuture<TopicDescription> description = descriptions.get(topic.topicName());
            if (description == null) {
                continue;
            }
            try {
                counts.put(
                        topic,
                        description
                                .get(timeout.toMillis(), TimeUnit.MILLISECONDS)
                                .partitions()
                                .size());
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw new IllegalStateException(
                            "topic " + topic.topicName() + ": cannot be described: " + reason(e), e);
                }
            } catch (TimeoutException e) {
                throw unreachable("describe topic " + topic.topicName(), e);
            } catch (InterruptedException e) {
                throw interrupted(e);
            }
        }
        return counts;
    }

    private static void checkCoPartitioned(Map<Topic, Integer> counts) {
        int expected = counts.getOrDefault(Topic.UPDATES, 0);
        counts.forEach((topic, count) -> {
            if (topic.coPartitioned() && count != expected) {
                throw new TopicMismatchException("topic " + topic.topicName() + ": " + count + " partitions (expected: "
                        + expected + ", as " + Topic.UPDATES.topicName() + " has)");
            }
        });
    }

    private void checkConfigs() {
        List<ConfigResource> resources = Arrays.stream(Topic.values())
                .map(topic -> new ConfigResource(ConfigResource.Type.TOPIC, topic.topicName()))
                .toList();
        Map<ConfigResource, Config> configs;
        try {
            configs = admin.describeConfigs(resources).all().get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            throw new IllegalStateException("topic configurations: cannot be read: " + reason(e), e);
        } catch (TimeoutException e) {
            throw unreachable("describe topic configurations", e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
        for (Topic topic : Topic.values()) {
            Config config = configs.get(new ConfigResource(ConfigResource.Type.TOPIC, topic.topicName()));
            if (config != null) {
                checkConfig(topic, config);
            }
        }
    }

    private static void checkConfig(Topic topic, Config config) {
        String cleanup = value(config, "cleanup.policy");
        if (!cleanup.equals(topic.cleanup().configValue())) {
            throw new TopicMismatchException("topic " + topic.topicName() + ": cleanup.policy is " + cleanup
                    + " (expected: " + topic.cleanup().configValue() + ")");
        }
        long maxBytes = Long.parseLong(value(config, "max.message.bytes"));
        if (maxBytes < topic.maxRecordBytes()) {
            throw new TopicMismatchException("topic " + topic.topicName() + ": max.message.bytes is " + maxBytes
                    + " (expected: at least " + topic.maxRecordBytes() + ")");
        }
        if (topic.cleanup() == Topic.Cleanup.DELETE) {
            long retention = Long.parseLong(value(config, "retention.ms"));
            // How long history is kept is the operator's choice, so it is said and not refused.
            if (retention != topic.retention().toMillis()) {
                LOG.warn(
                        "Topic {} keeps records for {} ms, where {} ms is the default",
                        topic.topicName(),
                        retention,
                        topic.retention().toMillis());
            }
        }
    }

    private static String value(Config config, String name) {
        ConfigEntry entry = config.get(name);
        return entry == null || entry.value() == null ? "0" : entry.value();
    }

    private IllegalStateException unreachable(String what, TimeoutException cause) {
        return new IllegalStateException("Kafka: no answer within " + timeout + " to: " + what, cause);
    }

    private static IllegalStateException interrupted(InterruptedException cause) {
        Thread.currentThread().interrupt();
        return new IllegalStateException("interrupted while the topics were being set up", cause);
    }

    private static String reason(ExecutionException e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
