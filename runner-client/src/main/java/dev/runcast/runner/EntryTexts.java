package dev.runcast.runner;

import dev.runcast.v1.Entry;
import dev.runcast.v1.SubAgent;
import dev.runcast.v1.TextField;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import java.util.EnumMap;
import java.util.Map;

/** Which texts a writer's entry carries, and the entry with other ones. */
final class EntryTexts {
    private EntryTexts() {}

    /** The texts that are present, in order of their fields. */
    static Map<TextField, String> of(Entry entry) {
        Map<TextField, String> texts = new EnumMap<>(TextField.class);
        switch (entry.getBodyCase()) {
            case MESSAGE -> {
                if (entry.getMessage().hasText()) {
                    texts.put(TextField.TEXT_FIELD_TEXT, entry.getMessage().getText());
                }
            }
            case ARTIFACT -> {
                if (entry.getArtifact().hasText()) {
                    texts.put(TextField.TEXT_FIELD_TEXT, entry.getArtifact().getText());
                }
            }
            case TOOL_CALL -> {
                ToolCall call = entry.getToolCall();
                if (call.hasArguments()) {
                    texts.put(TextField.TEXT_FIELD_ARGUMENTS, call.getArguments());
                }
                if (call.hasResult()) {
                    texts.put(TextField.TEXT_FIELD_RESULT, call.getResult());
                }
            }
            case SUB_AGENT -> {
                SubAgent agent = entry.getSubAgent();
                if (agent.hasInput()) {
                    texts.put(TextField.TEXT_FIELD_INPUT, agent.getInput());
                }
                if (agent.hasOutput()) {
                    texts.put(TextField.TEXT_FIELD_OUTPUT, agent.getOutput());
                }
            }
            // An approval's arguments are written by the merge, never by a runner.
            case TODO, APPROVAL, USAGE, BODY_NOT_SET -> {}
        }
        return texts;
    }

    /** Whether the update is an entry that can be sent without its texts, and these in parts. */
    static boolean splits(Update update) {
        return update.hasEntryUpserted()
                && !of(update.getEntryUpserted().getEntry()).isEmpty();
    }

    /** The entry with the texts that are present made empty: where it is merged they start again. */
    static Entry emptied(Entry entry) {
        Entry.Builder emptied = without(entry).toBuilder();
        for (TextField field : of(entry).keySet()) {
            switch (field) {
                case TEXT_FIELD_ARGUMENTS -> emptied.getToolCallBuilder().setArguments("");
                case TEXT_FIELD_RESULT -> emptied.getToolCallBuilder().setResult("");
                case TEXT_FIELD_INPUT -> emptied.getSubAgentBuilder().setInput("");
                case TEXT_FIELD_OUTPUT -> emptied.getSubAgentBuilder().setOutput("");
                case TEXT_FIELD_TEXT -> {
                    if (entry.hasMessage()) {
                        emptied.getMessageBuilder().setText("");
                    } else {
                        emptied.getArtifactBuilder().setText("");
                    }
                }
                case TEXT_FIELD_UNSPECIFIED, UNRECOGNIZED -> throw new IllegalStateException("a text without a field");
            }
        }
        return emptied.build();
    }

    /** The entry without any text: where it is merged, those it has stay as they are. */
    static Entry without(Entry entry) {
        Entry.Builder without = entry.toBuilder();
        switch (entry.getBodyCase()) {
            case MESSAGE -> without.getMessageBuilder().clearText();
            case ARTIFACT -> without.getArtifactBuilder().clearText();
            case TOOL_CALL -> without.getToolCallBuilder().clearArguments().clearResult();
            case SUB_AGENT -> without.getSubAgentBuilder().clearInput().clearOutput();
            case TODO, APPROVAL, USAGE, BODY_NOT_SET -> {}
        }
        return without.build();
    }
}
