package dev.runcast.ingest;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Writer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The writers of one stream, at most so many: the one that has said nothing for longest, and waits for
 * nothing, is forgotten for a new one. Guarded by the stream's lock.
 */
final class WriterLines {
    private final int most;
    private final SignalBoard board;
    private final SignalBoard.Listener listener;
    private final LinkedHashMap<WriterLine.Key, WriterLine> lines = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<ExecutionKey, List<WriterLine>> byExecution = new HashMap<>();

    WriterLines(int most, SignalBoard board, SignalBoard.Listener listener) {
        this.most = most;
        this.board = board;
        this.listener = listener;
    }

    @Nullable
    WriterLine get(WriterLine.Key key) {
        return lines.get(key);
    }

    /** A new line; null when there are too many and none may be forgotten. */
    @Nullable
    WriterLine add(WriterLine.Key key, Writer writer) {
        if (lines.size() >= most && !forgetOne()) {
            return null;
        }
        WriterLine line = new WriterLine(key, writer);
        lines.put(key, line);
        List<WriterLine> ofExecution = byExecution.get(key.execution());
        if (ofExecution == null) {
            ofExecution = new ArrayList<>(1);
            byExecution.put(key.execution(), ofExecution);
            board.listen(key.execution(), listener);
        }
        ofExecution.add(line);
        return line;
    }

    private boolean forgetOne() {
        for (Iterator<WriterLine> eldest = lines.values().iterator(); eldest.hasNext(); ) {
            WriterLine line = eldest.next();
            if (line.forgettable()) {
                eldest.remove();
                ExecutionKey execution = line.key.execution();
                List<WriterLine> ofExecution = of(execution);
                ofExecution.remove(line);
                if (ofExecution.isEmpty()) {
                    byExecution.remove(execution);
                    board.forget(execution, listener);
                }
                return true;
            }
        }
        return false;
    }

    List<WriterLine> of(ExecutionKey execution) {
        return byExecution.getOrDefault(execution, List.of());
    }

    Collection<WriterLine> all() {
        return lines.values();
    }

    void close() {
        byExecution.keySet().forEach(execution -> board.forget(execution, listener));
        byExecution.clear();
        lines.clear();
    }
}
