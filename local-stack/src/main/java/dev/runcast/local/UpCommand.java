package dev.runcast.local;

import dev.runcast.cli.CommandFailure;
import dev.runcast.cli.LocalStackFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Runs the whole stack until it is told to stop. */
@Command(
        name = "up",
        description = "Run the whole stack in one process, until Ctrl-C or SIGTERM.",
        mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {
    @Mixin
    private StackOptions options = new StackOptions();

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        Path folder = options.dataFolder();
        DataVersion.take(folder);
        Path log = StackLog.into(folder);
        long started = System.nanoTime();
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
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(stack, stopped), "runcast-stop"));
        LocalStackFile.write(stack.addresses().toProperties());
        ready(out, stack.addresses(), folder, log, (System.nanoTime() - started) / 1_000_000_000.0);
        stopped.await();
        return 0;
    }

    private static void stop(LocalStack stack, CountDownLatch stopped) {
        try {
            LocalStackFile.remove();
        } catch (IOException | UncheckedIOException e) {
            // The next start writes it anew; commands that read it meanwhile say that nobody answers.
            System.err.println("runcast: " + LocalStackFile.path() + " is left behind: " + e.getMessage());
        }
        stack.close();
        stopped.countDown();
    }

    private static void ready(PrintWriter out, Addresses addresses, Path folder, Path log, double seconds) {
        out.printf("%nRuncast is ready after %.1f s.%n", seconds);
        out.println("  live page   http://" + addresses.page() + "/");
        out.println("  HTTP        http://" + addresses.page() + "/v1/executions");
        out.println("  gRPC        " + addresses.api() + " for people, " + addresses.ingest() + " for runners");
        out.println("  servers     Kafka " + addresses.kafka() + ", " + addresses.mongo() + ", " + addresses.redis()
                + ", Temporal " + addresses.temporal());
        out.println("  data        " + folder);
        out.println("  log         " + log);
        out.println("In another terminal: ./runcast play FILE, ./runcast watch @latest. Ctrl-C stops it.");
        out.flush();
    }
}
