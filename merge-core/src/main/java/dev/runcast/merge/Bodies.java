package dev.runcast.merge;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.UnknownFieldSet;
import dev.runcast.v1.Approval;
import dev.runcast.v1.Artifact;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Entry.BodyCase;
import dev.runcast.v1.SubAgent;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Todo;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Usage;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What an entry is, by kind: which texts it has, how a patch changes it, which fields can be cleared. */
final class Bodies {
    private static final Map<String, TextField> TEXTS = Map.of(
            "message.text", TextField.TEXT_FIELD_TEXT,
            "tool_call.arguments", TextField.TEXT_FIELD_ARGUMENTS,
            "tool_call.result", TextField.TEXT_FIELD_RESULT,
            "sub_agent.input", TextField.TEXT_FIELD_INPUT,
            "sub_agent.output", TextField.TEXT_FIELD_OUTPUT,
            "artifact.text", TextField.TEXT_FIELD_TEXT);
    /** What the merge alone writes. */
    private static final Set<String> OUTPUT_ONLY =
            Set.of("decision", "decided_by", "decided_at", "comment", "arguments");

    private Bodies() {}

    /** Takes one text of a patch. */
    interface TextSink {
        @Nullable
        Refusal accept(TextField field, ByteString text);
    }

    /** Whether writers may append to this text of this kind; an approval's arguments belong to its decision. */
    static boolean hasText(BodyCase kind, TextField field) {
        return switch (kind) {
            case MESSAGE, ARTIFACT -> field == TextField.TEXT_FIELD_TEXT;
            case TOOL_CALL -> field == TextField.TEXT_FIELD_ARGUMENTS || field == TextField.TEXT_FIELD_RESULT;
            case SUB_AGENT -> field == TextField.TEXT_FIELD_INPUT || field == TextField.TEXT_FIELD_OUTPUT;
            case TODO, APPROVAL, USAGE, BODY_NOT_SET -> false;
        };
    }

    /** Hands on the texts that a patch has, in order of their fields. */
    static @Nullable Refusal texts(Entry patch, TextSink sink) {
        Refusal refusal = null;
        switch (patch.getBodyCase()) {
            case MESSAGE -> {
                ChatMessage body = patch.getMessage();
                if (body.hasText()) {
                    refusal = sink.accept(TextField.TEXT_FIELD_TEXT, body.getTextBytes());
                }
            }
            case TOOL_CALL -> {
                ToolCall body = patch.getToolCall();
                if (body.hasArguments()) {
                    refusal = sink.accept(TextField.TEXT_FIELD_ARGUMENTS, body.getArgumentsBytes());
                }
                if (refusal == null && body.hasResult()) {
                    refusal = sink.accept(TextField.TEXT_FIELD_RESULT, body.getResultBytes());
                }
            }
            case SUB_AGENT -> {
                SubAgent body = patch.getSubAgent();
                if (body.hasInput()) {
                    refusal = sink.accept(TextField.TEXT_FIELD_INPUT, body.getInputBytes());
                }
                if (refusal == null && body.hasOutput()) {
                    refusal = sink.accept(TextField.TEXT_FIELD_OUTPUT, body.getOutputBytes());
                }
            }
            case ARTIFACT -> {
                Artifact body = patch.getArtifact();
                if (body.hasText()) {
                    refusal = sink.accept(TextField.TEXT_FIELD_TEXT, body.getTextBytes());
                }
            }
            case TODO, APPROVAL, USAGE, BODY_NOT_SET -> {}
        }
        return refusal;
    }

    /** The entry with its texts put where a reader looks for them. */
    static void fill(Entry.Builder entry, TextField field, ByteString text) {
        switch (entry.getBodyCase()) {
            case MESSAGE -> entry.getMessageBuilder().setTextBytes(text);
            case ARTIFACT -> entry.getArtifactBuilder().setTextBytes(text);
            case APPROVAL -> entry.getApprovalBuilder().setArgumentsBytes(text);
            case TOOL_CALL -> {
                if (field == TextField.TEXT_FIELD_ARGUMENTS) {
                    entry.getToolCallBuilder().setArgumentsBytes(text);
                } else {
                    entry.getToolCallBuilder().setResultBytes(text);
                }
            }
            case SUB_AGENT -> {
                if (field == TextField.TEXT_FIELD_INPUT) {
                    entry.getSubAgentBuilder().setInputBytes(text);
                } else {
                    entry.getSubAgentBuilder().setOutputBytes(text);
                }
            }
            case TODO, USAGE, BODY_NOT_SET -> {}
        }
    }

    /** Changes the body of a record by what is present in a patch of the same kind; texts are left out. */
    static void patch(Entry.Builder record, Entry patch) {
        switch (patch.getBodyCase()) {
            case MESSAGE -> message(record.getMessageBuilder(), patch.getMessage());
            case TOOL_CALL -> toolCall(record.getToolCallBuilder(), patch.getToolCall());
            case SUB_AGENT -> subAgent(record.getSubAgentBuilder(), patch.getSubAgent());
            case TODO -> todo(record.getTodoBuilder(), patch.getTodo());
            case ARTIFACT -> artifact(record.getArtifactBuilder(), patch.getArtifact());
            case APPROVAL -> approval(record.getApprovalBuilder(), patch.getApproval());
            case USAGE -> usage(record.getUsageBuilder(), patch.getUsage());
            case BODY_NOT_SET -> {}
        }
    }

    /** The text that a path to be cleared names; null when it names something else. */
    static @Nullable TextField clearedText(String path) {
        return TEXTS.get(path);
    }

    /** The field of a body that a path such as {@code tool_call.result_reference} names; null when none may be. */
    static @Nullable FieldDescriptor clearedBody(String path) {
        int dot = path.indexOf('.');
        FieldDescriptor body = dot < 0 ? null : Entry.getDescriptor().findFieldByName(path.substring(0, dot));
        return body == null || body.getRealContainingOneof() == null ? null : body;
    }

    /** The field within the body; null when it may not be cleared. */
    static @Nullable FieldDescriptor clearedField(FieldDescriptor body, String path) {
        String name = path.substring(path.indexOf('.') + 1);
        Descriptor kind = body.getMessageType();
        boolean outputOnly = kind == Approval.getDescriptor() && OUTPUT_ONLY.contains(name);
        return outputOnly ? null : kind.findFieldByName(name);
    }

    static void clear(Entry.Builder record, FieldDescriptor body, FieldDescriptor field) {
        Message cleared =
                ((Message) record.getField(body)).toBuilder().clearField(field).build();
        record.setField(body, cleared);
    }

    /**
     * Fields that this build does not know pass through; a later one replaces an earlier one of the same number, so
     * that they cannot pile up.
     */
    static void unknown(Message.Builder record, UnknownFieldSet patch) {
        if (!patch.asMap().isEmpty()) {
            UnknownFieldSet.Builder fields = record.getUnknownFields().toBuilder();
            patch.asMap().forEach((number, field) -> fields.clearField(number).addField(number, field));
            record.setUnknownFields(fields.build());
        }
    }

    private static void message(ChatMessage.Builder to, ChatMessage from) {
        if (from.hasRole()) {
            to.setRole(from.getRole());
        }
        if (from.hasTextReference()) {
            to.setTextReference(from.getTextReference());
        }
        if (from.hasName()) {
            to.setName(from.getName());
        }
        unknown(to, from.getUnknownFields());
    }

    private static void toolCall(ToolCall.Builder to, ToolCall from) {
        if (from.hasName()) {
            to.setName(from.getName());
        }
        if (from.hasArgumentsReference()) {
            to.setArgumentsReference(from.getArgumentsReference());
        }
        if (from.hasResultReference()) {
            to.setResultReference(from.getResultReference());
        }
        unknown(to, from.getUnknownFields());
    }

    private static void subAgent(SubAgent.Builder to, SubAgent from) {
        if (from.hasName()) {
            to.setName(from.getName());
        }
        if (from.hasOutputReference()) {
            to.setOutputReference(from.getOutputReference());
        }
        unknown(to, from.getUnknownFields());
    }

    private static void todo(Todo.Builder to, Todo from) {
        if (from.hasContent()) {
            to.setContent(from.getContent());
        }
        if (from.hasPosition()) {
            to.setPosition(from.getPosition());
        }
        unknown(to, from.getUnknownFields());
    }

    private static void artifact(Artifact.Builder to, Artifact from) {
        if (from.hasName()) {
            to.setName(from.getName());
        }
        if (from.hasMediaType()) {
            to.setMediaType(from.getMediaType());
        }
        if (from.hasReference()) {
            to.setReference(from.getReference());
        }
        unknown(to, from.getUnknownFields());
    }

    private static void approval(Approval.Builder to, Approval from) {
        if (from.hasToolCallId()) {
            to.setToolCallId(from.getToolCallId());
        }
        if (from.hasPrompt()) {
            to.setPrompt(from.getPrompt());
        }
        if (from.hasResponseSchema()) {
            to.setResponseSchema(from.getResponseSchema());
        }
        if (from.hasExpiresAt()) {
            to.setExpiresAt(from.getExpiresAt());
        }
        unknown(to, from.getUnknownFields());
    }

    private static void usage(Usage.Builder to, Usage from) {
        if (from.hasModel()) {
            to.setModel(from.getModel());
        }
        if (from.hasInputTokens()) {
            to.setInputTokens(from.getInputTokens());
        }
        if (from.hasOutputTokens()) {
            to.setOutputTokens(from.getOutputTokens());
        }
        if (from.hasCachedInputTokens()) {
            to.setCachedInputTokens(from.getCachedInputTokens());
        }
        if (from.hasCostMicros()) {
            to.setCostMicros(from.getCostMicros());
        }
        unknown(to, from.getUnknownFields());
    }
}
