package dev.runcast.local;

import dev.runcast.cli.CommandFailure;
import dev.runcast.cli.LocalStackFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs the stack in a folder of its own, and on it a story of agents, with proof at the end. */
@Command(
        name = "demo",
        description = "Run the whole stack, let agents run on it, and show them live.",
        mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
    @Mixin
    private StackOptions options = new StackOptions();

    @Option(names = "--exit", description = "End after the story instead of going on until Ctrl-C.")
    private boolean exit;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        boolean ownFolder = options.data == null;
        Path folder = ownFolder ? Files.createTempDirectory("runcast-demo") : options.dataFolder();
        DataVersion.take(folder);
        Path log = StackLog.into(folder);
        out.println("Starting the whole stack in one process:");
        out.flush();
        DemoStory.settings(options);
        LocalStack stack;
        try {
            stack = LocalStack.start(options, folder, line -> {
                synchronized (out) {
                    out.println("  " + line);
                    out.flush();
                }
            });
        } catch (StackException e) {
            throw new CommandFailure(e.getMessage() + "\n  More is in " + log, e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(stack, ownFolder ? folder : null), "runcast-stop"));
        LocalStackFile.write(stack.addresses().toProperties());
        DemoStory story = new DemoStory(stack, exit, out);
        List<String> differences = story.tell();
        out.printf(
                Locale.ROOT,
                "  resident memory           %d MB, embedded servers and the worker's process included%n%n",
                story.peakBytes() / 1_000_000);
        if (!differences.isEmpty()) {
            differences.forEach(difference -> out.println("DIFFERS: " + difference));
            out.flush();
            return 1;
        }
        if (exit) {
            out.flush();
            return 0;
        }
        out.println("The stack goes on until Ctrl-C:");
        out.println("  live page   http://" + stack.addresses().page() + "/");
        out.println("  HTTP        http://" + stack.addresses().page() + "/v1/executions");
        out.println(
                "In another terminal: ./runcast list, ./runcast watch @latest, ./runcast approve night-train-tickets");
        out.flush();
        story.untilThePersonDecides();
        new CountDownLatch(1).await();
        return 0;
    }

    private static void stop(LocalStack stack, @org.jspecify.annotations.Nullable Path delete) {
        try {
            LocalStackFile.remove();
        } catch (IOException | UncheckedIOException e) {
            System.err.println("runcast: " + LocalStackFile.path() + " is left behind: " + e.getMessage());
        }
        stack.close();
        if (delete != null) {
            try (Stream<Path> all = Files.walk(delete)) {
                all.sorted(Comparator.reverseOrder()).forEach(DemoCommand::delete);
            } catch (IOException | UncheckedIOException e) {
                System.err.println("runcast: " + delete + " is left behind: " + e.getMessage());
            }
        }
    }

    private static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
