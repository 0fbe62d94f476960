package dev.runcast.local;

import dev.runcast.cli.Runcast;
import org.slf4j.bridge.SLF4JBridgeHandler;
import picocli.CommandLine;

/** The {@code runcast} program: the client commands, and those that run the stack itself. */
public final class Main {
    private Main() {}

    /** Runs one command and ends with its exit code. */
    public static void main(String[] arguments) {
        // Each service would set up logging for itself alone; here they share one file.
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        CommandLine commands = Runcast.commandLine()
                .addSubcommand(new UpCommand())
                .addSubcommand(new DemoCommand())
                .addSubcommand(new WorkerCommand())
                .addSubcommand(new RebuildCommand())
                .addSubcommand(new BenchCommand())
                // Set for all that are there by now.
                .setCaseInsensitiveEnumValuesAllowed(true);
        System.exit(commands.execute(arguments));
    }
}
