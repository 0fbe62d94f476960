package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.workflow.WorkflowIds;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads {@code runcast.executions.v1} from its beginning, as every instance does for itself, and keeps
 * {@link LiveExecutions} up to date from it. A failure is tried again for ever.
 */
final class ExecutionTable implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ExecutionTable.class);
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Set<String> ENDED = Set.of("COMPLETED", "FAILED", "CANCELLED", "TERMINATED");
    private static final Duration POLL = Duration.ofMillis(500);
    /** The table is looked at twice a minute, and has a row for each batch of updates. */
    private static final Duration COMPANY = Duration.ofMillis(250);

    private final ClientSettings clients;
    private final LiveExecutions live;
    private final Thread thread;
    private volatile boolean stopping;
    private @Nullable KafkaConsumer<byte[], byte[]> consumer;

    ExecutionTable(ClientSettings clients, LiveExecutions live) {
        this.clients = clients;
        this.live = live;
        this.thread = new Thread(this::run, "runcast-execution-table");
        thread.setDaemon(true);
        thread.start();
    }

    private void run() {
        while (!stopping) {
            try (KafkaConsumer<byte[], byte[]> reader = new KafkaConsumer<>(
                    clients.consumer("runcast-bridge-table", null, Isolation.UNCOMMITTED, COMPANY))) {
                synchronized (this) {
                    consumer = reader;
                }
                read(reader);
            } catch (WakeupException stopped) {
                return;
            } catch (KafkaException e) {
                LOG.warn("The table of executions cannot be read, and is tried again: {}", e.toString());
                pause();
            }
        }
    }

    private void read(KafkaConsumer<byte[], byte[]> reader) {
        List<TopicPartition> partitions = reader.partitionsFor(Topic.EXECUTIONS.topicName()).stream()
                .map(each -> new TopicPartition(each.topic(), each.partition()))
                .toList();
        reader.assign(partitions);
        reader.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
        while (!stopping) {
            for (ConsumerRecord<byte[], byte[]> record : reader.poll(POLL)) {
                take(record);
            }
            if (!live.isComplete()
                    && ends.entrySet().stream().allMatch(end -> reader.position(end.getKey()) >= end.getValue())) {
                live.complete();
            }
        }
    }

    private void take(ConsumerRecord<byte[], byte @Nullable []> record) {
        byte[] value = record.value();
        if (value == null) {
            return;
        }
        try {
            ExecutionKey key = RecordCodec.key(record.key());
            JsonNode row = JSON.readTree(value);
            if (!row.path("workflow_id").asString("").equals(WorkflowIds.of(key.tenant(), key.executionId()))) {
                return;
            }
            String phase = row.path("phase").asString("");
            live.row(
                    key,
                    row.path("version").asLong(0),
                    row.path("epoch").asLong(0),
                    phase,
                    row.path("reason").asString(""),
                    row.path("cancel_requested").asBoolean(false),
                    ENDED.contains(phase));
        } catch (JacksonException | IllegalArgumentException e) {
            LOG.warn("{} is no row of an execution: {}", RecordCodec.position(record), e.getMessage());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(1000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        stopping = true;
        synchronized (this) {
            if (consumer != null) {
                consumer.wakeup();
            }
        }
        thread.interrupt();
    }
}
