package dev.runcast.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A real Redis 6.2 in a process of its own, or the machine's {@code redis-server} where the packed one does not run. It
 * stops with this server, and within moments of this process's end however that comes; what still remained is recognised
 * and ended at the next start on the same folder.
 */
public final class EmbeddedRedis extends RestartableServer {

    private static final String LOG = "redis.log";

    private final boolean keepsData;

    private @Nullable RedisProcess process;

    private @Nullable Path folderInUse;

    private boolean temporary;

    /**
     * Where Redis works and listens.
     *
     * @param dataFolder created when it is new; null takes a temporary one and removes it at a stop
     * @param port 1 to 65535, or 0 for a free one
     * @param keepsData whether data survives a stop (an append-only file, synced every second); needs a folder
     */
    public record Config(@Nullable Path dataFolder, int port, boolean keepsData) {

        /** @throws IllegalArgumentException when the port is out of range, or data is to be kept without a folder */
        public Config {
            FreePorts.checkRange(port);
            if (keepsData && dataFolder == null) {
                throw new IllegalArgumentException("dataFolder: none (expected: a folder, since data is to be kept)");
            }
        }

        /** On a free port, keeping nothing. */
        public static Config inMemory() {
            return new Config(null, 0, false);
        }
    }

    private EmbeddedRedis(Config config) {
        super("Redis", config.port(), config.dataFolder());
        this.keepsData = config.keepsData();
    }

    /**
     * Starts Redis and returns when it answers.
     *
     * @throws EmbeddedServerException when the port is taken, the folder cannot be written or is in use, or no Redis
     *     runs on this machine
     */
    public static EmbeddedRedis start(Config config) {
        EmbeddedRedis redis = new EmbeddedRedis(config);
        redis.restart();
        return redis;
    }

    /** {@code redis://127.0.0.1:port}; the same after every restart. */
    public String uri() {
        return "redis://" + address();
    }

    @Override
    void endLeftover(Path folder) throws IOException, InterruptedException {
        RedisLeftover.end(folder);
    }

    @Override
    void launch(@Nullable Path folder) throws IOException, InterruptedException {
        temporary = folder == null;
        Path working = folder == null ? Files.createTempDirectory("runcast-redis-") : folder;
        folderInUse = working;
        Optional<Path> packed = RedisBinary.unpack(working);
        Optional<Path> installed = RedisBinary.installed();
        if (packed.isEmpty()) {
            run(
                    installed.orElseThrow(() -> new EmbeddedServerException(
                            "redis-server: none packed for %s %s and none on the PATH (expected: one of the two)"
                                    .formatted(System.getProperty("os.name"), System.getProperty("os.arch")))),
                    working);
            return;
        }
        try {
            run(packed.get(), working);
        } catch (IOException packedFailed) {
            stopProcess();
            if (installed.isEmpty()) {
                throw new EmbeddedServerException(
                        "redis-server: the packed one does not run here (expected: OpenSSL 3, package libssl3, or a"
                                + " redis-server on the PATH, package redis-server): "
                                + packedFailed.getMessage(),
                        packedFailed);
            }
            run(installed.get(), working);
        }
        if (temporary) {
            // A running program needs no file: so a kill of this process leaves no 10 MB behind.
            Files.deleteIfExists(packed.get());
        }
    }

    @Override
    void shutDown() throws IOException, InterruptedException {
        stopProcess();
        Path working = folderInUse;
        folderInUse = null;
        if (working != null) {
            RedisLeftover.forget(working);
            if (temporary) {
                deleteFlat(working);
            }
        }
    }

    private void run(Path program, Path folder) throws IOException, InterruptedException {
        RedisProcess starting = RedisProcess.start(program, arguments(folder), folder.resolve(LOG));
        process = starting;
        if (!temporary) {
            RedisLeftover.remember(folder, starting.handle());
        }
        starting.awaitReady(port());
    }

    private List<String> arguments(Path folder) {
        return List.of(
                "--bind", "127.0.0.1",
                "--port", Integer.toString(port()),
                "--dir", folder.toString(),
                "--daemonize", "no",
                "--databases", "1",
                "--save", "",
                "--appendonly", keepsData ? "yes" : "no");
    }

    private void stopProcess() throws InterruptedException {
        RedisProcess stopping = process;
        process = null;
        if (stopping != null) {
            stopping.stop();
        }
    }

    private static void deleteFlat(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }
}
