package dev.runcast.merge;

import dev.runcast.v1.Entry;
import dev.runcast.v1.Reference;
import dev.runcast.v1.Usage;

/** Whether an entry, as a writer sends it, keeps to the contract. What is output only is not looked at. */
final class EntryValidity {
    private EntryValidity() {}

    static void check(Fields fields, Entry entry) {
        fields.id("entry_id", entry.getEntryId())
                .idOrEmpty("parent_id", entry.getParentId())
                .check(
                        !entry.getParentId().equals(entry.getEntryId()),
                        "parent_id",
                        entry.getParentId(),
                        "another entry")
                .known("state", entry.getState(), entry.getStateValue(), true)
                .time("started_at", entry.hasStartedAt(), entry.getStartedAt())
                .time("ended_at", entry.hasEndedAt(), entry.getEndedAt());
        Validity.failure(fields, entry.getFailure());
        switch (entry.getBodyCase()) {
            case MESSAGE -> {
                fields.known(
                                "role",
                                entry.getMessage().getRole(),
                                entry.getMessage().getRoleValue(),
                                true)
                        .characters("name", entry.getMessage().getNameBytes(), 128);
                reference(
                        fields,
                        entry.getMessage().hasTextReference(),
                        entry.getMessage().getTextReference());
            }
            case TOOL_CALL -> {
                fields.characters("name", entry.getToolCall().getNameBytes(), 256);
                reference(
                        fields,
                        entry.getToolCall().hasArgumentsReference(),
                        entry.getToolCall().getArgumentsReference());
                reference(
                        fields,
                        entry.getToolCall().hasResultReference(),
                        entry.getToolCall().getResultReference());
            }
            case SUB_AGENT -> {
                fields.characters("name", entry.getSubAgent().getNameBytes(), 256);
                reference(
                        fields,
                        entry.getSubAgent().hasOutputReference(),
                        entry.getSubAgent().getOutputReference());
            }
            case TODO ->
                fields.characters("content", entry.getTodo().getContentBytes(), 1024)
                        .range("position", entry.getTodo().getPosition(), 0, Limits.TODOS);
            case ARTIFACT -> {
                fields.characters("name", entry.getArtifact().getNameBytes(), 256)
                        .characters("media_type", entry.getArtifact().getMediaTypeBytes(), 128);
                reference(
                        fields,
                        entry.getArtifact().hasReference(),
                        entry.getArtifact().getReference());
            }
            case APPROVAL ->
                fields.idOrEmpty("tool_call_id", entry.getApproval().getToolCallId())
                        .bytes("prompt", entry.getApproval().getPromptBytes(), 4096)
                        .bytes("response_schema", entry.getApproval().getResponseSchemaBytes(), 16_384)
                        .time(
                                "expires_at",
                                entry.getApproval().hasExpiresAt(),
                                entry.getApproval().getExpiresAt());
            case USAGE -> usage(fields, entry.getUsage());
            case BODY_NOT_SET -> {}
        }
    }

    private static void usage(Fields fields, Usage usage) {
        fields.characters("model", usage.getModelBytes(), 128)
                .range("input_tokens", usage.getInputTokens(), 0, Limits.USAGE)
                .range("output_tokens", usage.getOutputTokens(), 0, Limits.USAGE)
                .range("cached_input_tokens", usage.getCachedInputTokens(), 0, Limits.USAGE)
                .range("cost_micros", usage.getCostMicros(), 0, Limits.USAGE);
    }

    private static void reference(Fields fields, boolean present, Reference reference) {
        if (present) {
            fields.check(!reference.getUri().isEmpty(), "reference.uri", "", "an address")
                    .bytes("reference.uri", reference.getUriBytes(), 2048)
                    .range("reference.size_bytes", reference.getSizeBytes(), 0, Long.MAX_VALUE)
                    .check(
                            isSha256OrEmpty(reference.getSha256()),
                            "reference.sha256",
                            reference.getSha256(),
                            "64 lower-case hexadecimal digits or nothing")
                    .characters("reference.media_type", reference.getMediaTypeBytes(), 128)
                    .bytes("reference.preview", reference.getPreviewBytes(), 4096);
        }
    }

    private static boolean isSha256OrEmpty(String text) {
        return text.isEmpty()
                || text.length() == 64 && text.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f');
    }
}
