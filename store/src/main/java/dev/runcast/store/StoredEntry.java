package dev.runcast.store;

import dev.runcast.v1.Entry;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TextState;
import java.util.List;

/**
 * An entry as stored.
 *
 * @param record the full record without its texts; may be newer than the execution it was read with
 * @param texts its texts as of that execution's version, in pieces of at most about 64 KiB that follow one another from
 *     offset 0; of each field the newest generation. An empty text has no piece
 */
public record StoredEntry(Entry record, List<TextChange> texts) {
    /** Copies the list. */
    public StoredEntry {
        texts = List.copyOf(texts);
    }

    /** The record with its texts filled in. */
    public Entry filled() {
        Entry.Builder filled = record.toBuilder();
        for (TextState state : record.getTextsList()) {
            put(filled, state.getField(), text(state.getField()));
        }
        return filled.build();
    }

    private String text(TextField field) {
        StringBuilder text = new StringBuilder();
        for (TextChange piece : texts) {
            if (piece.getField() == field) {
                text.append(piece.getText());
            }
        }
        return text.toString();
    }

    private static void put(Entry.Builder entry, TextField field, String text) {
        switch (entry.getBodyCase()) {
            case MESSAGE -> entry.getMessageBuilder().setText(text);
            case ARTIFACT -> entry.getArtifactBuilder().setText(text);
            case APPROVAL -> entry.getApprovalBuilder().setArguments(text);
            case TOOL_CALL -> {
                if (field == TextField.TEXT_FIELD_ARGUMENTS) {
                    entry.getToolCallBuilder().setArguments(text);
                } else {
                    entry.getToolCallBuilder().setResult(text);
                }
            }
            case SUB_AGENT -> {
                if (field == TextField.TEXT_FIELD_INPUT) {
                    entry.getSubAgentBuilder().setInput(text);
                } else {
                    entry.getSubAgentBuilder().setOutput(text);
                }
            }
            case TODO, USAGE, BODY_NOT_SET -> {
                // These have no texts.
            }
        }
    }
}
