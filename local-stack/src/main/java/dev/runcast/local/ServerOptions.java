package dev.runcast.local;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The log and the store to work on: a data folder's, unless they are given. */
final class ServerOptions {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "The stack's data folder (default: ~/.local/share/runcast).")
    @Nullable
    Path data;

    @Option(names = "--kafka", paramLabel = "HOST:PORT", description = "The Kafka broker with the log.")
    @Nullable
    String kafka;

    @Option(names = "--mongo", paramLabel = "URI", description = "The MongoDB with the store, as mongodb://HOST:PORT.")
    @Nullable
    String mongo;

    StackOptions toStackOptions() {
        StackOptions options = new StackOptions();
        options.data = data;
        options.kafka = kafka;
        options.mongo = mongo;
        return options;
    }
}
