package dev.runcast.benchmarks;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What the rows share. Each thing is made when the first row asks for it. Not thread-safe. */
final class Workbench implements AutoCloseable {
    private final Scale scale;
    private final PrintStream progress;
    private final List<String> stackOptions;
    private final Path folder;
    private final long began = System.nanoTime();
    private @Nullable FilledLog batches;
    private @Nullable StackProcess stack;

    /**
     * Works in a temporary folder of its own.
     *
     * @param stackOptions the JVM options of the local stack and of what stands beside it
     */
    Workbench(Scale scale, PrintStream progress, List<String> stackOptions) throws IOException {
        this.scale = scale;
        this.progress = progress;
        this.stackOptions = stackOptions;
        this.folder = Files.createTempDirectory("runcast-bench-");
    }

    Scale scale() {
        return scale;
    }

    List<String> stackOptions() {
        return stackOptions;
    }

    /** Tells whoever waits how far it is. */
    void say(String line, Object... values) {
        progress.printf(
                Locale.ROOT,
                "[%4d s] %s%n",
                (System.nanoTime() - began) / 1_000_000_000,
                String.format(Locale.ROOT, line, values));
        progress.flush();
    }

    /** A folder that does not exist yet. */
    Path newFolder(String name) throws IOException {
        return Files.createTempDirectory(folder, name + "-");
    }

    /** The log with 20 updates in a record. */
    FilledLog batches() throws IOException {
        FilledLog filled = batches;
        if (filled == null) {
            filled = new FilledLog(newFolder("kafka"), scale.mergedInBatches(), Workload.TURN);
            batches = filled;
            say("wrote a log of %,d updates, 20 in a record", filled.updates());
        }
        return filled;
    }

    /** That log is not needed any more. */
    void releaseBatches() {
        FilledLog filled = batches;
        batches = null;
        if (filled != null) {
            filled.close();
        }
    }

    /** The local stack in a process of its own. */
    StackProcess stack() throws Exception {
        StackProcess running = stack;
        if (running == null) {
            running = StackProcess.start(newFolder("stack"), stackOptions);
            stack = running;
            say(
                    "the local stack runs: %.1f s until the first execution was seen live",
                    running.firstSeen().toNanos() / 1e9);
        }
        return running;
    }

    @Override
    public void close() {
        releaseBatches();
        StackProcess running = stack;
        stack = null;
        if (running != null) {
            running.close();
        }
        delete(folder);
    }

    /** Takes away a folder with all that is in it. */
    static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            // It is temporary; the machine takes it away.
            System.err.println("runcast: " + folder + " is left behind: " + e.getMessage());
        }
    }
}
