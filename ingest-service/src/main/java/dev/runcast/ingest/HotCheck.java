package dev.runcast.ingest;

import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Role;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Usage;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;

/**
 * Recognises, by hand and in a fraction of a microsecond, the batches and updates that make up nearly all of
 * the traffic and keep the contract's rules. False means no more than "not recognised": then the contract
 * itself is asked. A test holds every true against it.
 */
final class HotCheck {
    private static final int MAX_ID = 64;
    private static final int MAX_NAME = 256;
    private static final int MAX_ROLE_NAME = 128;
    private static final int MAX_MODEL = 128;
    private static final long MAX_USAGE = 1_000_000_000_000L;
    private static final int MAX_TRACEPARENT = 128;

    private HotCheck() {}

    /** Whether the batch says whose it is: a runner's, with a sequence. */
    static boolean names(UpdateBatch batch) {
        return isId(batch.getExecutionId())
                && batch.getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER
                && isIdOrEmpty(batch.getWriter().getName())
                && batch.getEpoch() >= 1
                && batch.getFirstSequence() >= 1;
    }

    /** Whether everything in the batch but its updates keeps the rules. */
    static boolean header(UpdateBatch batch) {
        Writer writer = batch.getWriter();
        WriterKind kind = writer.getKind();
        return isId(batch.getExecutionId())
                && kind != WriterKind.WRITER_KIND_UNSPECIFIED
                && kind != WriterKind.UNRECOGNIZED
                && isIdOrEmpty(writer.getName())
                && batch.getEpoch() >= 0
                && batch.getTraceparent().length() <= MAX_TRACEPARENT
                && switch (batch.getPositionCase()) {
                    case FIRST_SEQUENCE -> batch.getFirstSequence() >= 1;
                    case REQUEST_ID -> isId(batch.getRequestId());
                    case POSITION_NOT_SET -> false;
                };
    }

    /** Whether the update is of a frequent kind and keeps the rules. */
    static boolean update(Update update) {
        return switch (update.getChangeCase()) {
            case TEXT_APPENDED -> appended(update.getTextAppended());
            case ENTRY_UPSERTED -> upserted(update.getEntryUpserted());
            default -> false;
        };
    }

    private static boolean appended(TextAppended appended) {
        TextField field = appended.getField();
        return isId(appended.getEntryId())
                && field != TextField.TEXT_FIELD_UNSPECIFIED
                && field != TextField.UNRECOGNIZED
                && appended.getOffset() >= 0;
    }

    private static boolean upserted(EntryUpserted upserted) {
        Entry entry = upserted.getEntry();
        return upserted.hasEntry()
                && isId(entry.getEntryId())
                && isIdOrEmpty(entry.getParentId())
                && entry.getState() != EntryState.UNRECOGNIZED
                && !entry.hasFailure()
                && switch (entry.getBodyCase()) {
                    case MESSAGE -> message(entry.getMessage());
                    case TOOL_CALL -> toolCall(entry.getToolCall());
                    case USAGE -> usage(entry.getUsage());
                    case BODY_NOT_SET -> true;
                    default -> false;
                };
    }

    private static boolean message(ChatMessage message) {
        return message.getRole() != Role.UNRECOGNIZED
                && !message.hasTextReference()
                && message.getName().length() <= MAX_ROLE_NAME;
    }

    private static boolean toolCall(ToolCall call) {
        return !call.hasArgumentsReference()
                && !call.hasResultReference()
                && call.getName().length() <= MAX_NAME;
    }

    private static boolean usage(Usage usage) {
        return usage.getModel().length() <= MAX_MODEL
                && isUsage(usage.getInputTokens())
                && isUsage(usage.getOutputTokens())
                && isUsage(usage.getCachedInputTokens())
                && isUsage(usage.getCostMicros());
    }

    private static boolean isUsage(long value) {
        return value >= 0 && value <= MAX_USAGE;
    }

    private static boolean isIdOrEmpty(String text) {
        return text.isEmpty() || isId(text);
    }

    /** {@code [A-Za-z0-9][A-Za-z0-9_-]{0,63}}. */
    static boolean isId(String text) {
        int length = text.length();
        if (length == 0 || length > MAX_ID || !isAlphanumeric(text.charAt(0))) {
            return false;
        }
        for (int i = 1; i < length; i++) {
            char c = text.charAt(i);
            if (!isAlphanumeric(c) && c != '_' && c != '-') {
                return false;
            }
        }
        return true;
    }

    private static boolean isAlphanumeric(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
    }
}
