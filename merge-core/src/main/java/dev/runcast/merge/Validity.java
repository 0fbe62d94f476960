package dev.runcast.merge;

import com.google.protobuf.ByteString;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.Decision;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Link;
import dev.runcast.v1.Phase;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WriterKind;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Whether what lies in the log keeps to the contract, whoever put it there. The sizes and counts of whole batches are
 * the doors' business: how updates are cut into batches never changes what becomes of them.
 */
final class Validity {
    private Validity() {}

    /** What is wrong with the batch as such; null when its updates can be looked at. */
    static @Nullable Refusal ofBatch(UpdateBatch batch) {
        WriterKind kind = batch.getWriter().getKind();
        Fields fields = new Fields()
                .id("tenant", batch.getTenant())
                .id("execution_id", batch.getExecutionId())
                .known("writer.kind", kind, batch.getWriter().getKindValue(), false)
                .idOrEmpty("writer.name", batch.getWriter().getName())
                .range("rules", batch.getRules(), 1, Merge.NEWEST_RULES)
                .range("epoch", batch.getEpoch(), 0, Limits.EPOCH_MILLIS)
                .time("received_at", true, batch.getReceivedAt())
                .characters("traceparent", batch.getTraceparentBytes(), 128)
                .characters("principal", batch.getPrincipalBytes(), 128);
        switch (batch.getPositionCase()) {
            case FIRST_SEQUENCE ->
                fields.range("first_sequence", batch.getFirstSequence(), 1, Long.MAX_VALUE - batch.getUpdatesCount())
                        .range("epoch", batch.getEpoch(), 1, Limits.EPOCH_MILLIS)
                        .check(
                                kind == WriterKind.WRITER_KIND_RUNNER,
                                "first_sequence",
                                Long.toString(batch.getFirstSequence()),
                                "a request_id, since only a RUNNER has a sequence");
            case REQUEST_ID ->
                fields.id("request_id", batch.getRequestId())
                        .check(
                                batch.getUpdatesCount() == 1,
                                "updates",
                                Integer.toString(batch.getUpdatesCount()),
                                "1 with a request_id");
            case POSITION_NOT_SET -> fields.check(false, "position", "", "first_sequence or request_id");
        }
        return fields.refusal();
    }

    /** What is wrong with an update by itself; null when the state decides. */
    static @Nullable Refusal ofUpdate(Update update) {
        int size = update.getSerializedSize();
        if (size > Limits.UPDATE_BYTES) {
            return Refusal.tooLarge("update", size, Limits.UPDATE_BYTES);
        }
        Fields fields = new Fields().time("occurred_at", update.hasOccurredAt(), update.getOccurredAt());
        switch (update.getChangeCase()) {
            case DECLARED -> {
                fields.check(update.getDeclared().hasSpec(), "declared.spec", "", "what was asked for");
                spec(fields, update.getDeclared().getSpec());
                pairs(fields, "labels", update.getDeclared().getLabelsMap(), Limits.LABELS, true);
            }
            case ATTEMPT_STARTED ->
                fields.characters("worker", update.getAttemptStarted().getWorkerBytes(), 256)
                        .characters("build", update.getAttemptStarted().getBuildBytes(), 128);
            case PHASE_CHANGED -> {
                Phase phase = update.getPhaseChanged().getPhase();
                fields.known("phase", phase, update.getPhaseChanged().getPhaseValue(), false)
                        .check(
                                phase != Phase.PHASE_WAITING_FOR_APPROVAL,
                                "phase",
                                "WAITING_FOR_APPROVAL",
                                "a phase that can be said; this one follows from approvals");
                reason(fields, update.getPhaseChanged().getReasonBytes());
                failure(fields, update.getPhaseChanged().getFailure());
            }
            case RECOVERED -> reason(fields, update.getRecovered().getReasonBytes());
            case EXECUTION_PATCHED -> patched(fields, update.getExecutionPatched());
            case ENTRY_UPSERTED -> {
                fields.check(update.getEntryUpserted().hasEntry(), "entry_upserted.entry", "", "an entry");
                EntryValidity.check(fields, update.getEntryUpserted().getEntry());
            }
            case TODOS_REPLACED -> todos(fields, update.getTodosReplaced());
            case TEXT_APPENDED ->
                fields.id("entry_id", update.getTextAppended().getEntryId())
                        .known(
                                "field",
                                update.getTextAppended().getField(),
                                update.getTextAppended().getFieldValue(),
                                false)
                        .range("offset", update.getTextAppended().getOffset(), 0, Long.MAX_VALUE);
            case APPROVAL_DECIDED -> decided(fields, update.getApprovalDecided());
            case CONTROL_REQUESTED -> {
                fields.known(
                        "control",
                        update.getControlRequested().getControl(),
                        update.getControlRequested().getControlValue(),
                        false);
                reason(fields, update.getControlRequested().getReasonBytes());
            }
            case VERDICT -> {
                fields.known(
                                "kind",
                                update.getVerdict().getKind(),
                                update.getVerdict().getKindValue(),
                                false)
                        .range("epoch", update.getVerdict().getEpoch(), 0, Limits.EPOCH_MILLIS)
                        .range("as_of", update.getVerdict().getAsOf(), 1, Long.MAX_VALUE)
                        .known(
                                "outcome",
                                update.getVerdict().getOutcome(),
                                update.getVerdict().getOutcomeValue(),
                                true);
                failure(fields, update.getVerdict().getFailure());
                reason(fields, update.getVerdict().getReasonBytes());
            }
            case OMITTED -> {
                fields.range("count", update.getOmitted().getCount(), 1, Limits.USAGE);
                reason(fields, update.getOmitted().getReasonBytes());
            }
            case CHANGE_NOT_SET -> fields.check(false, "change", "", "a kind of change this build knows");
        }
        return fields.refusal();
    }

    private static void reason(Fields fields, ByteString reason) {
        fields.characters("reason", reason, 256);
    }

    static void failure(Fields fields, Failure failure) {
        fields.characters("failure.code", failure.getCodeBytes(), 64)
                .characters("failure.message", failure.getMessageBytes(), 4096);
    }

    private static void spec(Fields fields, ExecutionSpec spec) {
        fields.characters("spec.agent", spec.getAgentBytes(), 128)
                .characters("spec.session_id", spec.getSessionIdBytes(), 128)
                .bytes("spec.input", spec.getInputBytes(), 128 * 1024)
                .count("spec.links", spec.getLinksCount(), 16)
                .characters("spec.workflow_id", spec.getWorkflowIdBytes(), 256)
                .idOrEmpty("spec.parent_execution_id", spec.getParentExecutionId());
        for (Link link : spec.getLinksList()) {
            fields.check(!link.getRel().isEmpty(), "link.rel", "", "1 to 64 characters")
                    .characters("link.rel", link.getRelBytes(), 64)
                    .characters("link.title", link.getTitleBytes(), 256)
                    .bytes("link.uri", link.getUriBytes(), 2048)
                    .check(
                            link.getUri().startsWith("http://") || link.getUri().startsWith("https://"),
                            "link.uri",
                            link.getUri(),
                            "an http or https address");
        }
    }

    private static void patched(Fields fields, ExecutionPatched patched) {
        if (patched.hasProgress()) {
            if (patched.getProgress().hasPercent()) {
                fields.range("progress.percent", patched.getProgress().getPercent(), 0, 100);
            }
            fields.characters("progress.message", patched.getProgress().getMessageBytes(), 256);
        }
        pairs(fields, "labels", patched.getLabelsMap(), Limits.LABELS, true);
        pairs(fields, "context", patched.getContextMap(), Limits.CONTEXT, false);
        fields.count("clear_labels", patched.getClearLabelsCount(), Limits.LABELS)
                .count("clear_context", patched.getClearContextCount(), Limits.CONTEXT);
    }

    private static void pairs(Fields fields, String field, Map<String, String> pairs, int most, boolean labels) {
        fields.count(field, pairs.size(), most);
        pairs.forEach((key, value) -> {
            fields.check(isKey(key), field + " key", key, "[A-Za-z0-9][A-Za-z0-9._/-]{0,62}");
            ByteString bytes = ByteString.copyFromUtf8(value);
            if (labels) {
                fields.characters(field + " value", bytes, 256);
            } else {
                fields.bytes(field + " value", bytes, 4096);
            }
        });
    }

    private static boolean isKey(String key) {
        if (key.isEmpty() || key.length() > 63 || !Ids.isId(key.substring(0, 1))) {
            return false;
        }
        return key.chars().allMatch(c -> c < 0x80 && (Character.isLetterOrDigit(c) || "._/-".indexOf(c) >= 0));
    }

    private static void todos(Fields fields, TodosReplaced replaced) {
        fields.count("todos", replaced.getTodosCount(), Limits.TODOS).idOrEmpty("parent_id", replaced.getParentId());
        Set<String> seen = new HashSet<>();
        for (TodoItem item : replaced.getTodosList()) {
            fields.id("entry_id", item.getEntryId())
                    .check(seen.add(item.getEntryId()), "entry_id", item.getEntryId(), "distinct ids")
                    .check(
                            !item.getEntryId().equals(replaced.getParentId()),
                            "entry_id",
                            item.getEntryId(),
                            "another than the parent")
                    .characters("content", item.getContentBytes(), 1024)
                    .known("state", item.getState(), item.getStateValue(), true);
        }
    }

    private static void decided(Fields fields, ApprovalDecided decided) {
        boolean edit = decided.getDecision() == Decision.DECISION_EDIT;
        fields.id("entry_id", decided.getEntryId())
                .known("decision", decided.getDecision(), decided.getDecisionValue(), false)
                .check(
                        edit == decided.hasArguments(),
                        "arguments",
                        decided.hasArguments() ? "given" : "not given",
                        edit ? "the changed arguments, with EDIT" : "none, except with EDIT")
                .bytes("arguments", decided.getArgumentsBytes(), 128 * 1024)
                .bytes("comment", decided.getCommentBytes(), 4096);
    }
}
