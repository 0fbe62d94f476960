package dev.runcast.cli;

import com.google.protobuf.util.Timestamps;
import dev.runcast.merge.ExecutionView;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Size;
import org.jline.terminal.Terminal;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.Display;
import org.jspecify.annotations.Nullable;

/**
 * An execution in a terminal. What is finished scrolls up and stays; what is open (text that grows,
 * tools that run, the plan) is kept below it and redrawn in place. Thread-safe.
 */
final class LiveScreen implements WatchCommand.Viewer, AutoCloseable {
    // The screen follows the state at the rate the eye does, however fast the changes come.
    private static final long FRAME_MILLIS = 60;
    private static final int MOST_OPEN_LINES = 14;

    private final Terminal terminal;
    private final Display display;
    private final ScheduledExecutorService painter = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "runcast-screen");
        thread.setDaemon(true);
        return thread;
    });
    private final Set<String> settled = new HashSet<>();
    private final Set<String> announced = new HashSet<>();
    private @Nullable ExecutionView newest;
    private @Nullable ExecutionView painted;
    private String note = "";

    LiveScreen(Terminal terminal) {
        this.terminal = terminal;
        this.display = new Display(terminal, false);
        terminal.handle(Terminal.Signal.WINCH, unused -> paint(true));
        painter.scheduleAtFixedRate(() -> paint(false), 0, FRAME_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Override
    public synchronized void show(ExecutionView view) {
        newest = view;
        note = "";
    }

    @Override
    public synchronized void note(String sentence) {
        note = sentence;
        paint(true);
    }

    @Override
    public void close() {
        painter.shutdownNow();
        synchronized (this) {
            paint(true);
            display.update(List.of(), 0);
            if (newest != null) {
                Transcript transcript = new Transcript(newest.entries());
                for (Entry entry : newest.entries()) {
                    if (entry.hasTodo()) {
                        styled(transcript, entry)
                                .forEach(line -> terminal.writer().println(line.toAnsi(terminal)));
                    }
                }
                terminal.writer().println(status(newest.execution()).toAnsi(terminal));
            }
            terminal.flush();
        }
    }

    private synchronized void paint(boolean evenIfSame) {
        ExecutionView view = newest;
        if (view == null || (view == painted && !evenIfSame && !anythingTicks(view))) {
            return;
        }
        painted = view;
        display.resize(Size.of(columns(), rows()));
        Execution execution = view.execution();
        List<Entry> entries = view.entries();
        Transcript transcript = new Transcript(entries);
        List<AttributedString> done = new ArrayList<>();
        List<AttributedString> open = new ArrayList<>();
        List<AttributedString> plan = new ArrayList<>();
        boolean ended = Words.terminal(execution.getPhase());
        for (Entry entry : entries) {
            if (entry.hasTodo()) {
                plan.addAll(styled(transcript, entry));
            } else if (ended || Words.finished(entry.getState())) {
                if (settled.add(entry.getEntryId())) {
                    done.addAll(styled(transcript, entry));
                }
            } else {
                // Another attempt may open again what the one before had finished.
                settled.remove(entry.getEntryId());
                if (entry.hasSubAgent() && announced.add(entry.getEntryId())) {
                    // What it does scrolls up before it is done, and needs something to stand under.
                    done.addAll(styled(transcript, entry));
                }
                open.addAll(styled(transcript, entry));
            }
        }
        draw(done, open, plan, execution);
    }

    private void draw(
            List<AttributedString> done,
            List<AttributedString> open,
            List<AttributedString> plan,
            Execution execution) {
        if (!done.isEmpty()) {
            display.update(List.of(), 0);
            done.forEach(line -> terminal.writer().println(line.toAnsi(terminal)));
            display.reset();
        }
        int room = Math.max(3, rows() - plan.size() - 3);
        int most = Math.min(room, MOST_OPEN_LINES);
        List<AttributedString> bottom =
                new ArrayList<>(open.size() > most ? open.subList(open.size() - most, open.size()) : open);
        bottom.addAll(plan.size() > room ? plan.subList(0, room) : plan);
        bottom.add(status(execution));
        display.update(clipped(bottom), 0);
        terminal.flush();
    }

    // A terminal that does not tell its size says 0.
    private int columns() {
        return Math.max(20, terminal.getSize().getColumns());
    }

    private int rows() {
        return Math.max(2, terminal.getSize().getRows());
    }

    private List<AttributedString> clipped(List<AttributedString> lines) {
        int columns = columns() - 1;
        List<AttributedString> clipped = new ArrayList<>(lines.size());
        for (AttributedString line : lines) {
            clipped.add(line.columnLength() > columns ? line.columnSubSequence(0, columns) : line);
        }
        return clipped;
    }

    private boolean anythingTicks(ExecutionView view) {
        return !Words.terminal(view.execution().getPhase())
                && view.execution().getTotals().getOpenEntries() > 0;
    }

    private AttributedString status(Execution execution) {
        AttributedStyle style =
                switch (execution.getPhase()) {
                    case PHASE_COMPLETED ->
                        AttributedStyle.DEFAULT
                                .foreground(AttributedStyle.GREEN)
                                .bold();
                    case PHASE_FAILED, PHASE_TERMINATED ->
                        AttributedStyle.DEFAULT.foreground(AttributedStyle.RED).bold();
                    default ->
                        AttributedStyle.DEFAULT.foreground(AttributedStyle.CYAN).bold();
                };
        AttributedStringBuilder line = new AttributedStringBuilder();
        line.styled(style, Words.phase(execution)).append("  ").append(execution.getExecutionId());
        line.styled(
                AttributedStyle.DEFAULT.faint(),
                "  version " + execution.getVersion() + (note.isEmpty() ? "" : "  (" + note + ")"));
        if (execution.hasFailure() && !execution.getFailure().getCode().isEmpty()) {
            line.append("  ").append(Words.failure(execution.getFailure()));
        }
        return line.toAttributedString();
    }

    private List<AttributedString> styled(Transcript transcript, Entry entry) {
        AttributedStyle style =
                switch (entry.getBodyCase()) {
                    case TOOL_CALL, SUB_AGENT -> AttributedStyle.DEFAULT.foreground(AttributedStyle.YELLOW);
                    case USAGE, TODO -> AttributedStyle.DEFAULT.faint();
                    case MESSAGE ->
                        switch (entry.getMessage().getRole()) {
                            case ROLE_HUMAN -> AttributedStyle.DEFAULT.foreground(AttributedStyle.BLUE);
                            case ROLE_THINKING, ROLE_SYSTEM -> AttributedStyle.DEFAULT.faint();
                            default -> AttributedStyle.DEFAULT;
                        };
                    default -> AttributedStyle.DEFAULT;
                };
        int columns = columns() - 1;
        List<AttributedString> lines = new ArrayList<>();
        for (String line : transcript.lines(entry, Timestamps.fromMillis(System.currentTimeMillis()))) {
            for (String part : wrapped(line.replace("\t", "    "), columns)) {
                lines.add(new AttributedString(part, style));
            }
        }
        return lines;
    }

    /** A line in parts that fit, broken between words where there are any, continued under where it began. */
    static List<String> wrapped(String line, int columns) {
        List<String> parts = new ArrayList<>();
        String rest = line;
        String indentation = " "
                .repeat(Math.min(
                        columns / 2, line.length() - line.stripLeading().length()));
        while (new AttributedString(rest).columnLength() > columns) {
            // Wide characters take two columns, so the cut is found by columns, not by characters.
            int fits = new AttributedString(rest).columnSubSequence(0, columns).length();
            int cut = rest.lastIndexOf(' ', fits);
            if (cut <= indentation.length()) {
                cut = Math.max(fits, 1);
            }
            parts.add(rest.substring(0, cut));
            rest = indentation + rest.substring(cut).stripLeading();
        }
        parts.add(rest);
        return parts;
    }
}
