package dev.runcast.local;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a local stack is made of. Each server is embedded unless it is given. */
final class StackOptions {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "Keeps everything there (default: ~/.local/share/runcast).")
    @Nullable
    Path data;

    @Option(names = "--kafka", paramLabel = "HOST:PORT", description = "A Kafka broker, 4.0 or newer.")
    @Nullable
    String kafka;

    @Option(names = "--mongo", paramLabel = "URI", description = "A MongoDB, 5.0 or newer, as mongodb://HOST:PORT.")
    @Nullable
    String mongo;

    @Option(names = "--redis", paramLabel = "URI", description = "A Redis, 6.2 or newer, as redis://HOST:PORT.")
    @Nullable
    String redis;

    @Option(names = "--temporal", paramLabel = "HOST:PORT", description = "A Temporal server.")
    @Nullable
    String temporal;

    @Option(
            names = "--tokens",
            paramLabel = "FILE",
            description = "Who may call: lines of \"token tenant name role\" (default: anybody on this machine).")
    @Nullable
    Path tokens;

    @Option(names = "--without-agents", description = "Run no agents: other processes do, such as `runcast worker`.")
    boolean withoutAgents;

    /** Where the page is served, unless that port is taken. */
    int pagePort = 8090;

    /** Where the embedded Temporal listens, unless that port is taken. */
    int temporalPort = 7233;

    /** What the service that runs workflows is told besides, as Spring takes it. */
    List<String> workflows = List.of();

    /** What the service that runs agents is told besides. */
    List<String> agents = List.of();

    /**
     * Makes sure of what is given before anything is started on it.
     *
     * @throws StackException when a server does not answer or the token file cannot be read
     */
    void check() {
        reachable("Kafka", kafka);
        reachable("MongoDB", mongo);
        reachable("Redis", redis);
        reachable("Temporal", temporal);
        if (tokens != null && !Files.isReadable(tokens)) {
            throw new StackException("--tokens: " + tokens + " (expected: a file that can be read)");
        }
    }

    private static void reachable(String name, @Nullable String address) {
        if (address != null) {
            Reachability.check(name, address);
        }
    }

    /** Where everything is kept, absolute. */
    Path dataFolder() {
        if (data != null) {
            return data.toAbsolutePath().normalize();
        }
        String base = System.getenv("XDG_DATA_HOME");
        return (base == null || base.isEmpty()
                        ? Path.of(System.getProperty("user.home"), ".local", "share")
                        : Path.of(base))
                .resolve("runcast");
    }
}
