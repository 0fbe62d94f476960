package dev.runcast.cli;

import dev.runcast.merge.ExecutionView;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** Shows an execution as it runs, from its present state to its end. */
@Command(
        name = "watch",
        description = "Show an execution as it runs, to its end.",
        exitCodeListHeading = "%nExit codes with --exit-status, beside those of every command:%n",
        exitCodeList = {"0:COMPLETED", "10:FAILED", "11:CANCELLED", "12:TERMINATED"},
        mixinStandardHelpOptions = true)
final class WatchCommand implements Callable<Integer> {
    private static final long LONGEST_PAUSE_MILLIS = 5_000;
    private static final int MOST_ODD_FAILURES = 10;

    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "ID", description = "The execution, or @latest.")
    private String id = "";

    @Option(
            names = "--wait",
            paramLabel = "DURATION",
            converter = Waiting.class,
            description =
                    "Wait so long for it to begin, such as 10s, at most 1m, and see its first updates as they come.")
    private Duration wait = Duration.ZERO;

    @Option(names = "--exit-status", description = "Exit with how the execution ended; see below.")
    private boolean exitStatus;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "For a person, or the frames as JSON lines.")
    private OutputFormat output = OutputFormat.TEXT;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (Connection.Session session = connection.open()) {
            return watch(new Watched(session, session.resolve(id), wait), output, exitStatus, spec);
        }
    }

    /** Shows an execution to its end; returns the exit code. */
    static int watch(Watched watched, OutputFormat output, boolean exitStatus, CommandSpec spec)
            throws IOException, InterruptedException {
        Phase outcome;
        if (output == OutputFormat.JSON) {
            outcome = follow(watched, new JsonFrames(spec));
        } else if (Terminals.interactive()) {
            try (Terminal terminal = TerminalBuilder.builder().system(true).build();
                    LiveScreen screen = new LiveScreen(terminal)) {
                outcome = follow(watched, screen);
            }
        } else {
            outcome = follow(watched, new PlainLines(spec.commandLine().getOut()));
        }
        return exitStatus ? exitCode(outcome) : 0;
    }

    /** {@code 10s}, {@code 1m}: the form of ISO 8601 without its beginning. */
    static final class Waiting implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String value) {
            try {
                return Duration.parse("PT" + value);
            } catch (DateTimeParseException e) {
                throw new TypeConversionException('"' + value + "\" (expected: a duration such as 10s or 1m)");
            }
        }
    }

    /** Beside the codes of failures, so that a run that failed is not taken for a command that did. */
    static int exitCode(Phase outcome) {
        return switch (outcome) {
            case PHASE_COMPLETED -> 0;
            case PHASE_FAILED -> 10;
            case PHASE_CANCELLED -> 11;
            case PHASE_TERMINATED -> 12;
            default -> picocli.CommandLine.ExitCode.SOFTWARE;
        };
    }

    /** What becomes of the frames of a watch. */
    interface Viewer {
        /** The view after a frame. */
        void show(ExecutionView view);

        /** Something about the connection that a person should know. */
        void note(String sentence);

        /** A frame as it came. */
        default void frame(WatchExecutionResponse frame) {}
    }

    private record JsonFrames(CommandSpec spec) implements Viewer {
        @Override
        public void show(ExecutionView view) {}

        @Override
        public void note(String sentence) {
            spec.commandLine().getErr().println("runcast: " + sentence);
        }

        @Override
        public void frame(WatchExecutionResponse frame) {
            spec.commandLine().getOut().println(OutputFormat.line(frame));
            spec.commandLine().getOut().flush();
        }
    }

    // The stream may break at any frame; the last cursor says where to go on, so nothing is seen twice.
    private static Phase follow(Watched watched, Viewer viewer) throws InterruptedException {
        Follower follower = new Follower(viewer);
        for (int failures = 0; ; ) {
            String before = follower.cursor;
            try {
                Phase outcome = follower.read(watched);
                if (outcome != null) {
                    return outcome;
                }
                failures = 0;
            } catch (StatusRuntimeException e) {
                Status.Code code = e.getStatus().getCode();
                failures = follower.cursor.equals(before) ? failures + 1 : 1;
                if (follower.cursor.isEmpty() || !mayPass(code, failures)) {
                    throw e;
                }
                viewer.note("connection lost, trying again");
            }
            long pause = Math.min(LONGEST_PAUSE_MILLIS, 200L << Math.min(failures, 5));
            TimeUnit.MILLISECONDS.sleep(ThreadLocalRandom.current().nextLong(pause / 2, pause + 1));
        }
    }

    /**
     * Whether what one has already seen a part of may go on after this. A server that is started again can be somebody
     * else's port for a moment, or not have its store whole yet: that is waited for some half a minute. One that is away
     * may come back whenever it likes.
     */
    private static boolean mayPass(Status.Code code, int failures) {
        return switch (code) {
            case UNAVAILABLE -> true;
            case UNKNOWN, INTERNAL, NOT_FOUND -> failures <= MOST_ODD_FAILURES;
            default -> false;
        };
    }

    /** Turns the frames of one watch, over any number of connections, into views. */
    static final class Follower {
        private final Viewer viewer;
        private final List<Snapshot> parts = new ArrayList<>();
        private ExecutionView view = ExecutionView.EMPTY;
        private String cursor = "";

        Follower(Viewer viewer) {
            this.viewer = viewer;
        }

        private @Nullable Phase read(Watched watched) {
            Iterator<WatchExecutionResponse> frames = watched.framesAfter(cursor);
            while (frames.hasNext()) {
                Phase outcome = accept(frames.next());
                if (outcome != null) {
                    return outcome;
                }
            }
            return null;
        }

        /** One frame; the terminal phase when it was the last. */
        @Nullable
        Phase accept(WatchExecutionResponse frame) {
            viewer.frame(frame);
            if (!frame.getCursor().isEmpty()) {
                cursor = frame.getCursor();
            }
            switch (frame.getFrameCase()) {
                case SNAPSHOT -> snapshot(frame.getSnapshot());
                case CHANGE -> {
                    view = view.apply(frame.getChange());
                    viewer.show(view);
                }
                case DONE -> {
                    return frame.getDone().getPhase();
                }
                case BOOKMARK, FRAME_NOT_SET -> {}
            }
            return null;
        }

        private void snapshot(Snapshot part) {
            if (part.getFirst()) {
                parts.clear();
            }
            parts.add(part);
            if (part.getLast()) {
                view = ExecutionView.EMPTY.apply(wholeAsChange(parts));
                parts.clear();
                viewer.show(view);
            }
        }

        /** A present state is a change from nothing. */
        private static Change wholeAsChange(List<Snapshot> parts) {
            Execution execution = parts.get(0).getExecution();
            List<Entry> entries = new ArrayList<>();
            List<TextChange> texts = new ArrayList<>();
            for (Snapshot part : parts) {
                entries.addAll(part.getEntriesList());
                texts.addAll(part.getTextsList());
            }
            return Change.newBuilder()
                    .setFirstVersion(1)
                    .setVersion(execution.getVersion())
                    .setReceivedAt(execution.getUpdatedAt())
                    .setExecution(execution)
                    .addAllEntries(entries)
                    .addAllTexts(texts)
                    .build();
        }
    }
}
