package dev.runcast.benchmarks.rival;

import dev.runcast.v1.Entry;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import java.util.ArrayList;
import java.util.List;
import org.bson.Document;

/** Merges an update into the one document that holds an execution with all its entries and texts. */
final class DirectMerge {
    private DirectMerge() {}

    static Document begin(String id) {
        return new Document("_id", id).append("version", 0L).append("entries", new ArrayList<Document>());
    }

    static void merge(Document execution, Update update) {
        execution.put("version", execution.getLong("version") + 1);
        if (update.hasPhaseChanged()) {
            execution.put("phase", update.getPhaseChanged().getPhase().name());
        } else if (update.hasTextAppended()) {
            append(execution, update.getTextAppended());
        } else if (update.hasEntryUpserted()) {
            upsert(execution, update.getEntryUpserted().getEntry());
        }
    }

    private static void append(Document execution, TextAppended appended) {
        Document entry = entry(execution, appended.getEntryId());
        String field = appended.getField() == TextField.TEXT_FIELD_RESULT ? "result" : "text";
        String before = entry.getString(field);
        entry.put(field, before == null ? appended.getText() : before + appended.getText());
    }

    private static void upsert(Document execution, Entry patch) {
        Document entry = entry(execution, patch.getEntryId());
        if (patch.hasState()) {
            entry.put("state", patch.getState().name());
        }
        if (patch.hasMessage() && patch.getMessage().hasRole()) {
            entry.put("role", patch.getMessage().getRole().name());
        }
        if (patch.hasToolCall()) {
            ToolCall call = patch.getToolCall();
            if (call.hasName()) {
                entry.put("name", call.getName());
            }
            if (call.hasArguments()) {
                entry.put("arguments", call.getArguments());
            }
            if (call.hasResult()) {
                entry.put("result", call.getResult());
            }
        }
        if (patch.hasUsage()) {
            entry.put("model", patch.getUsage().getModel());
            entry.put("inputTokens", patch.getUsage().getInputTokens());
            entry.put("outputTokens", patch.getUsage().getOutputTokens());
            entry.put("costMicros", patch.getUsage().getCostMicros());
        }
    }

    // From the end: what changes is nearly always among the newest.
    private static Document entry(Document execution, String id) {
        List<Document> entries = execution.getList("entries", Document.class);
        for (int i = entries.size() - 1; i >= 0; i--) {
            if (id.equals(entries.get(i).getString("id"))) {
                return entries.get(i);
            }
        }
        Document entry = new Document("id", id);
        entries.add(entry);
        return entry;
    }
}
