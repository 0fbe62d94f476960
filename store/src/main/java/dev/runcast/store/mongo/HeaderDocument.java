package dev.runcast.store.mongo;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.Totals;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.TreeMap;
import org.bson.Document;
import org.bson.types.Binary;
import org.jspecify.annotations.Nullable;

/**
 * An execution in {@code executions}: fields that a person reads in a shell and lists are filtered by, and under {@code
 * raw} the messages as they are, which alone are read back. A patch sets only what it has, so nothing has to be read
 * before a write.
 */
final class HeaderDocument {
    private HeaderDocument() {}

    /**
     * The update that applies a patch.
     *
     * @param patch an absent message field is unchanged, an empty one cleared
     * @param full whether the patch has more than the version and the time of the newest change
     */
    static Document update(ExecutionKey key, Execution patch, boolean full) {
        Document set = new Document("tenant", key.tenant())
                .append("execution_id", key.executionId())
                .append("version", patch.getVersion())
                .append("updated_at", date(patch.getUpdatedAt()))
                .append("raw.updated_at", binary(patch.getUpdatedAt()));
        Document atFirst = new Document();
        if (full) {
            header(set, patch);
        } else {
            // A list sorts and filters by these even when the first change should lack them.
            atFirst.append("phase", "UNSPECIFIED").append("created_at", date(patch.getUpdatedAt()));
        }
        if (patch.hasSpec()) {
            set.append("agent", patch.getSpec().getAgent())
                    .append("session_id", patch.getSpec().getSessionId())
                    .append("workflow_id", patch.getSpec().getWorkflowId())
                    .append("raw.spec", binary(patch.getSpec()));
        } else {
            atFirst.append("agent", "").append("session_id", "");
        }
        if (patch.hasAttributes()) {
            set.append("labels", labels(patch.getAttributes()))
                    .append("progress", progress(patch.getAttributes()))
                    .append("raw.attributes", binary(patch.getAttributes()));
        } else {
            atFirst.append("labels", List.of());
        }
        if (patch.hasFailure()) {
            set.append("failure", failure(patch.getFailure())).append("raw.failure", binary(patch.getFailure()));
        }
        if (patch.hasLateOutcome()) {
            set.append("raw.late_outcome", binary(patch.getLateOutcome()));
        }
        if (patch.hasAttempt()) {
            set.append("raw.attempt", binary(patch.getAttempt()));
        }
        Document update = new Document("$set", set);
        return atFirst.isEmpty() ? update : update.append("$setOnInsert", atFirst);
    }

    static Execution read(Document document) {
        Document raw = document.get("raw", Document.class);
        try {
            Execution.Builder execution = Execution.newBuilder()
                    .mergeFrom(bytes(raw, "header"))
                    .setTenant(document.getString("tenant"))
                    .setExecutionId(document.getString("execution_id"))
                    .setVersion(version(document))
                    .setUpdatedAt(Timestamp.parseFrom(bytes(raw, "updated_at")));
            byte[] spec = bytes(raw, "spec");
            if (spec.length > 0) {
                execution.setSpec(ExecutionSpec.parseFrom(spec));
            }
            byte[] attributes = bytes(raw, "attributes");
            if (attributes.length > 0) {
                execution.setAttributes(ExecutionAttributes.parseFrom(attributes));
            }
            byte[] failure = bytes(raw, "failure");
            if (failure.length > 0) {
                execution.setFailure(Failure.parseFrom(failure));
            }
            byte[] lateOutcome = bytes(raw, "late_outcome");
            if (lateOutcome.length > 0) {
                execution.setLateOutcome(LateOutcome.parseFrom(lateOutcome));
            }
            byte[] attempt = bytes(raw, "attempt");
            if (attempt.length > 0) {
                execution.setAttempt(Attempt.parseFrom(attempt));
            }
            return execution.build();
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("execution %s: damaged".formatted(document.get("_id")), e);
        }
    }

    static long version(Document document) {
        return document.get("version", Number.class).longValue();
    }

    static Binary binary(Message message) {
        return new Binary(message.toByteArray());
    }

    static byte[] bytes(Document document, String field) {
        Binary binary = document.get(field, Binary.class);
        return binary == null ? new byte[0] : binary.getData();
    }

    static Date date(Timestamp time) {
        return new Date(Math.addExact(Math.multiplyExact(time.getSeconds(), 1000L), time.getNanos() / 1_000_000));
    }

    private static void header(Document set, Execution patch) {
        Execution header = patch.toBuilder()
                .clearSpec()
                .clearAttributes()
                .clearFailure()
                .clearLateOutcome()
                .clearAttempt()
                .build();
        set.append("phase", Names.shortName(patch.getPhase(), "PHASE_"))
                .append("reason", patch.getReason())
                .append("epoch", patch.getEpoch())
                .append("attempts", patch.getAttempts())
                .append("cancel_requested", patch.getCancelRequested())
                .append("stalled", patch.getStalled())
                .append("totals", totals(patch.getTotals()))
                .append("created_at", date(patch.getCreatedAt()))
                .append("started_at", patch.hasStartedAt() ? date(patch.getStartedAt()) : null)
                .append("ended_at", patch.hasEndedAt() ? date(patch.getEndedAt()) : null)
                .append("raw.header", binary(header));
    }

    private static Document totals(Totals totals) {
        return new Document("entries", totals.getEntries())
                .append("messages", totals.getMessages())
                .append("tool_calls", totals.getToolCalls())
                .append("text_bytes", totals.getTextBytes())
                .append("input_tokens", totals.getInputTokens())
                .append("output_tokens", totals.getOutputTokens())
                .append("cost_micros", totals.getCostMicros());
    }

    /** As a list, since {@code $} and {@code .} may be in a key; and as whole documents, which one index serves. */
    private static List<Document> labels(ExecutionAttributes attributes) {
        List<Document> labels = new ArrayList<>();
        new TreeMap<>(attributes.getLabelsMap()).forEach((key, value) -> labels.add(label(key, value)));
        return labels;
    }

    static Document label(String key, String value) {
        return new Document("k", key).append("v", value);
    }

    private static @Nullable Document progress(ExecutionAttributes attributes) {
        return attributes.hasProgress()
                ? new Document(
                                "percent",
                                attributes.getProgress().hasPercent()
                                        ? attributes.getProgress().getPercent()
                                        : null)
                        .append("message", attributes.getProgress().getMessage())
                : null;
    }

    private static @Nullable Document failure(Failure failure) {
        return failure.equals(Failure.getDefaultInstance())
                ? null
                : new Document("code", failure.getCode())
                        .append("message", failure.getMessage())
                        .append("retryable", failure.getRetryable());
    }
}
