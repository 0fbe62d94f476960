package dev.runcast.cli;

import dev.runcast.merge.ExecutionView;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Execution;
import java.io.PrintWriter;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An execution as lines that are never taken back: for pipes and files. An entry is printed when it
 * finishes, a tool call and a sub-agent also when they begin.
 */
final class PlainLines implements WatchCommand.Viewer {
    private final PrintWriter out;
    private final Map<String, Entry> printed = new HashMap<>();
    private String phase = "";

    PlainLines(PrintWriter out) {
        this.out = out;
    }

    @Override
    public void show(ExecutionView view) {
        Execution execution = view.execution();
        List<Entry> entries = view.entries();
        Transcript transcript = new Transcript(entries);
        boolean ended = Words.terminal(execution.getPhase());
        for (Entry entry : entries) {
            if (ended || worthALine(entry)) {
                print(transcript, entry, execution);
            }
        }
        String now = Words.phase(execution);
        if (!now.equals(phase)) {
            phase = now;
            String failure =
                    execution.hasFailure() && !execution.getFailure().getCode().isEmpty()
                            ? "  " + Words.failure(execution.getFailure())
                            : "";
            out.println("== " + now + "  " + Words.time(execution.getUpdatedAt()) + failure);
        }
        out.flush();
    }

    private static boolean worthALine(Entry entry) {
        if (Words.finished(entry.getState())) {
            return true;
        }
        return entry.getState() != EntryState.ENTRY_STATE_PENDING
                && (entry.hasToolCall() || entry.hasSubAgent() || entry.hasApproval() || entry.hasTodo());
    }

    private void print(Transcript transcript, Entry entry, Execution execution) {
        Entry before = printed.get(entry.getEntryId());
        boolean same = before != null
                && before.getState() == entry.getState()
                && (!Words.finished(entry.getState()) || before.getVersion() == entry.getVersion());
        if (!same) {
            printed.put(entry.getEntryId(), entry);
            transcript.lines(entry, execution.getUpdatedAt()).forEach(out::println);
        }
    }

    @Override
    public void note(String sentence) {
        out.println("-- " + sentence);
        out.flush();
    }
}
