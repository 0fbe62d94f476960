package dev.runcast.mergestream;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.TopicAdministration;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.ThreadMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/** The running merge: topics first, then the threads; on a stop the other way round. Thread-safe. */
public final class MergeStreams implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(MergeStreams.class);
    private static final Duration VERDICT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration TRANSACTIONS_INTERVAL = Duration.ofSeconds(10);

    private final KafkaSettings kafka;
    private final MergeStreamSettings settings;
    private final InstantSource clock;
    private final MeterRegistry registry;
    private final MergeMetrics metrics;
    private volatile @Nullable Running running;
    private volatile boolean stopped;

    /** What is closed in the reverse order of this list. */
    private record Running(KafkaStreams streams, List<AutoCloseable> resources) {}

    /** Does nothing before {@link #start()}. */
    public MergeStreams(
            KafkaSettings kafka, MergeStreamSettings settings, InstantSource clock, MeterRegistry registry) {
        this.kafka = kafka;
        this.settings = settings;
        this.clock = clock;
        this.registry = registry;
        this.metrics = new MergeMetrics(registry);
    }

    /**
     * Creates missing topics and starts the threads; does not wait until they run.
     *
     * @throws IllegalStateException when the brokers cannot be reached
     * @throws dev.runcast.topics.TopicMismatchException when a topic cannot be used as it is
     */
    @Override
    public synchronized void start() {
        if (running != null) {
            return;
        }
        ensureTopics();
        List<AutoCloseable> resources = new ArrayList<>();
        try {
            ClientSettings clients = kafka.clients();
            RocksMemory memory = new RocksMemory(settings.rocksdbMemory());
            resources.add(memory);
            KafkaVerdictLog verdicts = new KafkaVerdictLog(
                    new KafkaProducer<>(
                            clients.producer(settings.applicationId() + "-watchdog", Duration.ZERO, VERDICT_TIMEOUT)),
                    metrics);
            resources.add(verdicts);
            KafkaLogEnds ends = new KafkaLogEnds(
                    Admin.create(clients.admin(settings.applicationId() + "-watchdog-admin")),
                    settings.applicationId(),
                    settings.watchdog().interval().dividedBy(2),
                    clock);
            resources.add(ends);
            resources.add(new HangingTransactions(clients, settings.applicationId(), TRANSACTIONS_INTERVAL, metrics));
            KafkaStreams streams = new KafkaStreams(
                    MergeTopology.build(settings, clock, ends, verdicts, metrics),
                    new StreamsConfig(configuration(memory)));
            StreamFailures failures = new StreamFailures();
            streams.setUncaughtExceptionHandler(failures);
            streams.setStateListener((now, before) -> {
                LOG.info("The merge is {} (was {})", now, before);
                if (now == KafkaStreams.State.RUNNING) {
                    failures.recovered();
                }
            });
            KafkaStreamsMetrics streamsMetrics = new KafkaStreamsMetrics(streams);
            streamsMetrics.bindTo(registry);
            resources.add(streamsMetrics);
            streams.start();
            stopped = false;
            running = new Running(streams, resources);
        } finally {
            if (running == null) {
                close(resources);
            }
        }
    }

    /** Commits what has been processed and gives the partitions back. */
    @Override
    public synchronized void stop() {
        Running stopping = running;
        if (stopping == null) {
            return;
        }
        // A member with a name of its own comes back under it; then leaving would only move its partitions twice.
        GroupMembershipOperation membership = settings.instanceId() == null
                ? GroupMembershipOperation.LEAVE_GROUP
                : GroupMembershipOperation.REMAIN_IN_GROUP;
        boolean closed = stopping.streams()
                .close(CloseOptions.timeout(settings.closeTimeout()).withGroupMembershipOperation(membership));
        if (!closed) {
            LOG.warn(
                    "The stream threads have not ended within {}; what they had not committed is done again",
                    settings.closeTimeout());
        }
        close(stopping.resources());
        stopped = true;
        running = null;
    }

    @Override
    public boolean isRunning() {
        return running != null;
    }

    /** How Kafka Streams stands: CREATED before the start, NOT_RUNNING after the stop. Never waits for either. */
    public KafkaStreams.State state() {
        Running now = running;
        if (now == null) {
            return stopped ? KafkaStreams.State.NOT_RUNNING : KafkaStreams.State.CREATED;
        }
        return now.streams().state();
    }

    /** Stream threads that are alive. */
    public int liveThreads() {
        Running now = running;
        if (now == null) {
            return 0;
        }
        int live = 0;
        for (ThreadMetadata thread : now.streams().metadataForLocalThreads()) {
            if (!"DEAD".equals(thread.threadState()) && !"PENDING_SHUTDOWN".equals(thread.threadState())) {
                live++;
            }
        }
        return live;
    }

    private void ensureTopics() {
        Admin admin = Admin.create(kafka.clients().admin(settings.applicationId() + "-topics"));
        try {
            new TopicAdministration(admin, kafka.timeout()).ensure(kafka.layout());
        } finally {
            // Without a limit it waits for what was asked of brokers that do not answer.
            admin.close(Duration.ZERO);
        }
    }

    private Map<String, Object> configuration(RocksMemory memory) {
        Map<String, Object> configs =
                new HashMap<>(kafka.clients().streams(settings.applicationId(), kafka.replicationFactor()));
        configs.put(StreamsConfig.STATE_DIR_CONFIG, settings.stateDirectory().toString());
        configs.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, settings.threads());
        configs.put(
                StreamsConfig.COMMIT_INTERVAL_MS_CONFIG,
                settings.commitInterval().toMillis());
        configs.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        configs.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        configs.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedRocksDb.class);
        configs.put(BoundedRocksDb.MEMORY, memory);
        // Updates and heartbeats need no common order, so an empty one of the two never holds up the other.
        configs.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, StreamsConfig.MAX_TASK_IDLE_MS_DISABLED);
        // Batches are up to 512 KiB: the default of 1,000 buffered records a partition would be half a gigabyte.
        configs.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 256);
        configs.put(StreamsConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        // They go through Micrometer.
        configs.put(StreamsConfig.METRIC_REPORTER_CLASSES_CONFIG, List.of());
        long session = settings.sessionTimeout().toMillis();
        configs.put(consumer("session.timeout.ms"), Math.toIntExact(session));
        configs.put(consumer("heartbeat.interval.ms"), Math.toIntExact(Math.min(3000, session / 3)));
        if (settings.instanceId() != null) {
            configs.put(consumer("group.instance.id"), settings.instanceId());
        }
        return configs;
    }

    private static String consumer(String name) {
        return StreamsConfig.mainConsumerPrefix(name);
    }

    private static void close(List<AutoCloseable> resources) {
        Collections.reverse(resources);
        for (AutoCloseable resource : resources) {
            try {
                resource.close();
            } catch (Exception e) {
                LOG.warn("{} could not be closed", resource.getClass().getSimpleName(), e);
            }
        }
    }
}
