package dev.runcast.faults;

import dev.runcast.merge.ExecutionView;
import dev.runcast.v1.Change;
import dev.runcast.v1.Done;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.WatchExecutionResponse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Holds what one viewer saw against the history: each frame is the change of its version, or the fold of its versions,
 * or the state at its version; none is missed or repeated; and the end was reached.
 */
final class ViewCheck {
    private final String viewer;
    private final List<Change> history;
    private final Phase end;
    private final List<String> violations = new ArrayList<>();
    private final List<Snapshot> parts = new ArrayList<>();

    /** Views by version. */
    private final List<ExecutionView> at = new ArrayList<>(List.of(ExecutionView.EMPTY));

    /** What the viewer has; -1 for nothing. */
    private long version = -1;

    private boolean done;

    private ViewCheck(String viewer, List<Change> history, Phase end) {
        this.viewer = viewer;
        this.history = history;
        this.end = end;
        for (Change change : history) {
            ExecutionView last = at.get(at.size() - 1);
            if (change.getFirstVersion() != last.version() + 1) {
                break; // The history itself is at fault, and found by others.
            }
            at.add(last.apply(change));
        }
    }

    /** What was not as it must be. */
    static List<String> check(String viewer, List<WatchExecutionResponse> frames, List<Change> history, Phase end) {
        ViewCheck check = new ViewCheck(viewer, history, end);
        frames.forEach(check::see);
        check.require(
                check.done || check.version == history.size() && !frames.isEmpty(),
                "never saw the end; has version %d of %d",
                check.version,
                history.size());
        return check.violations;
    }

    private void require(boolean holds, String violation, Object... values) {
        if (!holds) {
            violations.add(viewer + ": " + violation.formatted(values));
        }
    }

    private void see(WatchExecutionResponse frame) {
        switch (frame.getFrameCase()) {
            case FRAME_NOT_SET -> {
                parts.clear();
                if (frame.getCursor().isEmpty()) {
                    version = -1;
                }
            }
            case SNAPSHOT -> snapshot(frame.getSnapshot());
            case CHANGE -> change(frame.getChange());
            case BOOKMARK -> require(
                    frame.getBookmark().getVersion() == version,
                    "bookmark at %d after version %d",
                    frame.getBookmark().getVersion(),
                    version);
            case DONE -> done(frame.getDone());
        }
    }

    private void done(Done last) {
        done = true;
        require(last.getVersion() == version, "done at %d after version %d", last.getVersion(), version);
        require(last.getPhase() == end, "done as %s (expected: %s)", last.getPhase(), end);
        require(version == history.size(), "done at version %d of %d", version, history.size());
    }

    private void change(Change change) {
        long first = change.getFirstVersion();
        long last = change.getVersion();
        require(first == version + 1, "change %d to %d after version %d", first, last, version);
        version = last;
        if (first < 1 || last < first || last > history.size()) {
            require(false, "change %d to %d (expected: within 1 to %d)", first, last, history.size());
            return;
        }
        List<Change> range = history.subList((int) first - 1, (int) last);
        Change expected = range.size() == 1 ? range.get(0) : ExecutionView.fold(range);
        require(
                change.equals(expected),
                "change %d to %d is not the history's:%n  seen    %s%n  history %s",
                first,
                last,
                change.toString().replace('\n', ' '),
                expected.toString().replace('\n', ' '));
    }

    private void snapshot(Snapshot part) {
        if (part.getFirst()) {
            parts.clear();
        }
        parts.add(part);
        if (!part.getLast()) {
            version = -1;
            return;
        }
        Execution execution = parts.get(0).getExecution();
        version = execution.getVersion();
        if (version < 0 || version >= at.size()) {
            require(false, "snapshot at version %d (expected: at most %d)", version, at.size() - 1);
            return;
        }
        ExecutionView view = at.get((int) version);
        require(
                withoutTextBytes(execution).equals(withoutTextBytes(view.execution())),
                "snapshot at %d:%n  seen    %s%n  history %s",
                version,
                execution.toString().replace('\n', ' '),
                view.execution().toString().replace('\n', ' '));
        entries(view);
        texts(view);
    }

    /** Documented: in a store the sum lags while a text grows and nothing else changes. */
    private static Execution withoutTextBytes(Execution execution) {
        Execution.Builder without = execution.toBuilder();
        without.getTotalsBuilder().clearTextBytes();
        return without.build();
    }

    /** Documented: records may be newer than the snapshot's version. */
    private void entries(ExecutionView view) {
        Map<String, Entry> seen = new HashMap<>();
        parts.forEach(part -> part.getEntriesList().forEach(entry -> seen.put(entry.getEntryId(), entry)));
        for (Entry shown : view.entries()) {
            Entry record = seen.get(shown.getEntryId());
            require(record != null, "snapshot at %d without entry %s", version, shown.getEntryId());
            if (record != null) {
                Entry expected = recordAt(shown.getEntryId(), Math.max(version, record.getVersion()));
                require(
                        record.equals(expected),
                        "snapshot at %d:%n  seen    %s%n  history %s",
                        version,
                        record.toString().replace('\n', ' '),
                        String.valueOf(expected).replace('\n', ' '));
            }
        }
    }

    private @Nullable Entry recordAt(String entryId, long atVersion) {
        Entry record = null;
        for (Change change : history.subList(0, (int) Math.min(history.size(), atVersion))) {
            for (Entry entry : change.getEntriesList()) {
                record = entry.getEntryId().equals(entryId) ? entry : record;
            }
        }
        return record;
    }

    private void texts(ExecutionView view) {
        Map<String, StringBuilder> seen = new LinkedHashMap<>();
        for (Snapshot part : parts) {
            for (TextChange text : part.getTextsList()) {
                seen.computeIfAbsent(text.getEntryId() + '/' + text.getField(), name -> new StringBuilder())
                        .append(text.getText());
            }
        }
        for (Entry entry : view.entries()) {
            for (TextField field : TextField.values()) {
                var expected = field == TextField.UNRECOGNIZED ? null : view.text(entry.getEntryId(), field);
                String text = seen.getOrDefault(entry.getEntryId() + '/' + field, new StringBuilder()).toString();
                require(
                        (expected == null ? "" : expected.toStringUtf8()).equals(text),
                        "snapshot at %d: %s of %s is \"%s\" (expected: \"%s\")",
                        version,
                        field,
                        entry.getEntryId(),
                        text,
                        expected == null ? "" : expected.toStringUtf8());
            }
        }
    }
}
