package dev.runcast.merge;

import dev.runcast.state.v1.TodoList;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Plans, as agents write them: the whole list each time. The list has the last word on every step it names, so unlike
 * an upsert it may open a finished step again. Only steps that a list has named before can be left out by the next one;
 * a todo that was upserted by itself belongs to no list.
 */
final class Todos {
    private Todos() {}

    static @Nullable Refusal replaced(Work work, TodosReplaced replaced) {
        for (TodoItem item : replaced.getTodosList()) {
            Entry before = work.entries.find(item.getEntryId());
            if (before != null && !before.hasTodo()) {
                return Entries.otherKind(before, "todo");
            }
        }
        byte[] key = work.keys.many(StateKeys.TODOS, replaced.getParentId());
        TodoList listed = work.records.get(key, TodoList.parser());

        Set<String> named = new HashSet<>();
        TodoList.Builder list = TodoList.newBuilder();
        int position = 0;
        for (TodoItem item : replaced.getTodosList()) {
            position++;
            named.add(item.getEntryId());
            list.addEntryIds(item.getEntryId());
            step(work, item, position, replaced.getParentId());
        }
        if (listed != null) {
            for (String entryId : listed.getEntryIdsList()) {
                if (!named.contains(entryId)) {
                    leaveOut(work, entryId, replaced.getParentId());
                }
            }
        }
        Refusal refusal = work.entries.checkList(work.rules);
        if (refusal != null) {
            return refusal;
        }
        List<String> before = listed == null ? List.of() : listed.getEntryIdsList();
        if (!before.equals(list.getEntryIdsList())) {
            work.records.put(key, TodoList.parser(), list.getEntryIdsCount() == 0 ? null : list.build());
        }
        return null;
    }

    private static void step(Work work, TodoItem item, int position, String parentId) {
        EntryState said = item.getState() == EntryState.ENTRY_STATE_UNSPECIFIED
                ? EntryState.ENTRY_STATE_PENDING
                : item.getState();
        EntryState state = Entries.whenEnded(work, said);
        Entry before = work.entries.find(item.getEntryId());
        if (before != null && isSame(before, item, state, position, parentId)) {
            return;
        }
        EntryTable.Draft draft = before == null
                ? work.entries.appear(item.getEntryId(), work.execution.entries, work.logTime)
                : work.entries.draft(item.getEntryId());
        if (draft == null) {
            return;
        }
        draft.written = true;
        if (before != null && EntryStates.isFinished(before.getState()) && !EntryStates.isFinished(state)) {
            draft.record.clearEndedAt().clearFailure();
        }
        draft.record.setState(state);
        Entries.setParent(draft.record, parentId);
        draft.record.getTodoBuilder().setContent(item.getContent()).setPosition(position);
    }

    private static boolean isSame(Entry before, TodoItem item, EntryState state, int position, String parentId) {
        return before.getState() == state
                && before.getParentId().equals(parentId)
                && before.getTodo().hasPosition()
                && before.getTodo().getPosition() == position
                && before.getTodo().hasContent()
                && before.getTodo().getContent().equals(item.getContent());
    }

    /** It stays in history. One that another plan has taken over since is that plan's. */
    private static void leaveOut(Work work, String entryId, String parentId) {
        Entry before = work.entries.find(entryId);
        if (before == null || !before.getParentId().equals(parentId)) {
            return;
        }
        EntryTable.Draft draft = work.entries.draft(entryId);
        if (draft == null) {
            return;
        }
        draft.written = true;
        draft.record.getTodoBuilder().setPosition(0);
        if (!EntryStates.isFinished(before.getState())) {
            draft.record.setState(EntryState.ENTRY_STATE_CANCELLED);
        }
    }
}
