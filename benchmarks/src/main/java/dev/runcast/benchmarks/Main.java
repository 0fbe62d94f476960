package dev.runcast.benchmarks;

import org.slf4j.bridge.SLF4JBridgeHandler;
import picocli.CommandLine;

/** The program behind {@code ./runcast bench}. */
public final class Main {
    private Main() {}

    /** Measures and ends with the command's exit code. */
    public static void main(String[] arguments) {
        // As in the local stack: each service would set up logging for itself, and the terminal belongs to the table.
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
        SLF4JBridgeHandler.removeHandlersForRootLogger();
        SLF4JBridgeHandler.install();
        System.exit(new CommandLine(new BenchCommand()).execute(arguments));
    }
}
