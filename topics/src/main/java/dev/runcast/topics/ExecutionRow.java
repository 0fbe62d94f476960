package dev.runcast.topics;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Totals;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/**
 * The value of {@link Topic#EXECUTIONS}: an execution as one flat JSON object for programs that
 * analyse, with every column in every row. Columns are snake_case; numbers are JSON numbers, also the
 * 64-bit ones (unlike ProtoJSON); phases are words without a prefix, times RFC 3339 in UTC; what does
 * not exist is null. {@code labels} is a string that holds a JSON object, so that the row stays flat.
 * The same execution always gives the same bytes.
 */
public final class ExecutionRow {
    private static final byte[] SPEC_VERSION = bytes("1.0");
    private static final byte[] TYPE = bytes("dev.runcast.execution.v1");
    private static final byte[] SOURCE = bytes("/runcast/merge-stream");
    private static final byte[] CONTENT_TYPE = bytes("application/json");

    /** The length of a time that names no seconds, because they are 0. */
    private static final int MINUTES = "2026-01-01T00:00".length();

    private ExecutionRow() {}

    /**
     * The record of a complete execution: key, row and CloudEvents headers.
     *
     * @throws IllegalArgumentException when the execution has no valid key
     */
    public static ProducerRecord<byte[], byte[]> record(Execution execution) {
        return new ProducerRecord<>(
                Topic.EXECUTIONS.topicName(),
                null,
                RecordCodec.key(new ExecutionKey(execution.getTenant(), execution.getExecutionId())),
                value(execution),
                headers(execution));
    }

    /** The row of a complete execution, in UTF-8. */
    public static byte[] value(Execution execution) {
        Totals totals = execution.getTotals();
        JsonObject row = new JsonObject()
                .text("tenant", execution.getTenant())
                .text("execution_id", execution.getExecutionId())
                .number("version", execution.getVersion())
                .text("phase", phase(execution.getPhase()))
                .text("reason", execution.getReason())
                .number("epoch", execution.getEpoch())
                .number("minimum_epoch", execution.getMinimumEpoch())
                .number("attempts", execution.getAttempts())
                .bool("cancel_requested", execution.getCancelRequested())
                .bool("stalled", execution.getStalled())
                .number("rules", execution.getRules())
                .number("entries", totals.getEntries())
                .number("open_entries", totals.getOpenEntries())
                .number("messages", totals.getMessages())
                .number("tool_calls", totals.getToolCalls())
                .number("pending_approvals", totals.getPendingApprovals())
                .number("text_bytes", totals.getTextBytes())
                .number("input_tokens", totals.getInputTokens())
                .number("output_tokens", totals.getOutputTokens())
                .number("cost_micros", totals.getCostMicros())
                .number("omitted_updates", totals.getOmittedUpdates());
        time(row, "created_at", execution.hasCreatedAt(), execution.getCreatedAt());
        time(row, "started_at", execution.hasStartedAt(), execution.getStartedAt());
        time(row, "ended_at", execution.hasEndedAt(), execution.getEndedAt());
        time(row, "updated_at", execution.hasUpdatedAt(), execution.getUpdatedAt());
        spec(row, execution);
        attributes(row, execution.getAttributes());
        failure(row, execution);
        attempt(row, execution);
        return bytes(row.end());
    }

    /**
     * CloudEvents 1.0 in binary mode (its Kafka protocol binding). The id is the execution's key and
     * version, so that a repeated row can be told.
     */
    public static Headers headers(Execution execution) {
        String key = execution.getTenant() + "/" + execution.getExecutionId();
        RecordHeaders headers = new RecordHeaders();
        headers.add("ce_specversion", SPEC_VERSION);
        headers.add("ce_type", TYPE);
        headers.add("ce_source", SOURCE);
        add(headers, "ce_id", key + "/" + execution.getVersion());
        add(headers, "ce_subject", key);
        if (execution.hasUpdatedAt()) {
            add(headers, "ce_time", rfc3339(execution.getUpdatedAt()));
        }
        headers.add("content-type", CONTENT_TYPE);
        return headers;
    }

    private static void spec(JsonObject row, Execution execution) {
        if (execution.hasSpec()) {
            row.text("agent", execution.getSpec().getAgent())
                    .text("session_id", execution.getSpec().getSessionId())
                    .text("workflow_id", execution.getSpec().getWorkflowId())
                    .text("parent_execution_id", execution.getSpec().getParentExecutionId());
        } else {
            row.absent("agent").absent("session_id").absent("workflow_id").absent("parent_execution_id");
        }
    }

    private static void attributes(JsonObject row, ExecutionAttributes attributes) {
        if (attributes.getProgress().hasPercent()) {
            row.number("progress_percent", attributes.getProgress().getPercent());
        } else {
            row.absent("progress_percent");
        }
        row.text("progress_message", attributes.getProgress().getMessage());
        JsonObject labels = new JsonObject();
        // Sorted, because a map's own order differs from one run to the next.
        for (Map.Entry<String, String> label : new TreeMap<>(attributes.getLabelsMap()).entrySet()) {
            labels.pair(label.getKey(), label.getValue());
        }
        row.text("labels", labels.end());
    }

    private static void failure(JsonObject row, Execution execution) {
        if (execution.hasFailure() && !execution.getFailure().getCode().isEmpty()) {
            row.text("failure_code", execution.getFailure().getCode())
                    .text("failure_message", execution.getFailure().getMessage())
                    .bool("failure_retryable", execution.getFailure().getRetryable());
        } else {
            row.absent("failure_code").absent("failure_message").absent("failure_retryable");
        }
        if (execution.hasLateOutcome()) {
            row.text("late_phase", phase(execution.getLateOutcome().getPhase()));
        } else {
            row.absent("late_phase");
        }
    }

    private static void attempt(JsonObject row, Execution execution) {
        if (execution.hasAttempt()) {
            row.text("attempt_worker", execution.getAttempt().getWorker())
                    .text("attempt_build", execution.getAttempt().getBuild());
        } else {
            row.absent("attempt_worker").absent("attempt_build");
        }
    }

    private static void time(JsonObject row, String column, boolean exists, Timestamp time) {
        if (exists) {
            row.text(column, rfc3339(time));
        } else {
            row.absent(column);
        }
    }

    /** What {@link java.time.Instant#toString} gives, for a tenth of its cost: it has no formatter to interpret. */
    static String rfc3339(Timestamp time) {
        String local = LocalDateTime.ofEpochSecond(time.getSeconds(), time.getNanos(), ZoneOffset.UTC)
                .toString();
        return local.length() == MINUTES ? local + ":00Z" : local + "Z";
    }

    private static String phase(Phase phase) {
        return phase == Phase.UNRECOGNIZED ? "UNRECOGNIZED" : phase.name().substring("PHASE_".length());
    }

    private static void add(Headers headers, String name, String value) {
        headers.add(name, bytes(value));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
