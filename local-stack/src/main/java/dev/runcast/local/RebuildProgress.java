package dev.runcast.local;

import dev.runcast.cli.Terminals;
import dev.runcast.sink.Rebuild;
import java.io.PrintWriter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Says how far a rebuild is: on a terminal on one line, elsewhere a line for each step. Thread-safe. */
final class RebuildProgress implements Rebuild.Watcher {
    private final PrintWriter err;
    private final boolean live = Terminals.interactive();
    private Rebuild.@Nullable Step step;
    private String line = "";

    RebuildProgress(PrintWriter err) {
        this.err = err;
    }

    @Override
    public synchronized void reached(Rebuild.Step reached, long done, long all) {
        if (reached != step) {
            end();
            step = reached;
        }
        line = String.format(
                Locale.ROOT,
                "  %s %,d of %,d %s",
                doing(reached),
                done,
                all,
                reached == Rebuild.Step.COMPARE ? "executions" : "records");
        if (live) {
            err.print('\r' + line);
            err.flush();
        }
    }

    /** Nothing more comes. */
    synchronized void end() {
        if (!line.isEmpty()) {
            err.println(live ? "" : line);
            err.flush();
            line = "";
        }
    }

    private static String doing(Rebuild.Step step) {
        return switch (step) {
            case FOLD -> "merging the log again:";
            case COMPARE -> "comparing with the store:";
            case EXPLAIN -> "looking for the differences:";
            case REPLACE -> "writing:";
        };
    }
}
