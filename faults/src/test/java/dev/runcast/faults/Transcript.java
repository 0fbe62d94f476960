package dev.runcast.faults;

import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Role;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Usage;
import java.util.ArrayList;
import java.util.List;

/** What an agent reported of one attempt, as it must be found in the end: id, state and content of each entry. */
final class Transcript {
    private final String prefix;
    private final List<Entry> entries = new ArrayList<>();
    private int number;

    /** @param prefix what the ids of its entries begin with */
    Transcript(String prefix) {
        this.prefix = prefix;
    }

    /** An id for the next entry of this kind. */
    String next(String kind) {
        return prefix + kind + ++number;
    }

    void message(String id, String text) {
        entries.add(entry(id, EntryState.ENTRY_STATE_COMPLETED)
                .setMessage(ChatMessage.newBuilder().setRole(Role.ROLE_AI).setText(text))
                .build());
    }

    void tool(String id, String arguments, String result, EntryState state) {
        ToolCall.Builder tool = ToolCall.newBuilder().setName("search").setArguments(arguments);
        if (state == EntryState.ENTRY_STATE_COMPLETED) {
            tool.setResult(result);
        }
        entries.add(entry(id, state).setToolCall(tool).build());
    }

    void usage(String id, Usage usage) {
        entries.add(entry(id, EntryState.ENTRY_STATE_COMPLETED).setUsage(usage).build());
    }

    List<Entry> entries() {
        return entries;
    }

    private static Entry.Builder entry(String id, EntryState state) {
        return Entry.newBuilder().setEntryId(id).setState(state);
    }
}
