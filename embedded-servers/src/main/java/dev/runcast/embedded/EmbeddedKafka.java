package dev.runcast.embedded;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Consumer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's own server, broker and controller in one, in this process. Topics are never created by use, replication is 1,
 * and records up to 4 MiB are taken. What was acknowledged survives {@link #restart()} and, being in the page cache, a
 * kill of this process.
 */
public final class EmbeddedKafka extends RestartableServer {

    private final Consumer<String> onGivenUp = this::gaveUp;

    private final Path dataFolder;

    private volatile @Nullable String failure;

    private @Nullable KafkaRaftServer server;

    /**
     * Where a broker keeps its data and listens.
     *
     * @param dataFolder created and formatted when it is new; a folder of another cluster, or one that a newer Kafka
     *     wrote, is refused
     * @param port 1 to 65535, or 0 for a free one
     */
    public record Config(Path dataFolder, int port) {

        /** @throws IllegalArgumentException when the port is out of range */
        public Config {
            FreePorts.checkRange(port);
        }

        /** On a free port. */
        public static Config in(Path dataFolder) {
            return new Config(dataFolder, 0);
        }
    }

    private EmbeddedKafka(Config config) {
        super("Kafka", config.port(), config.dataFolder());
        this.dataFolder = config.dataFolder();
    }

    /**
     * Starts a broker and returns when it takes requests.
     *
     * @throws EmbeddedServerException when the port is taken, or the folder cannot be written, is in use, or is of
     *     another cluster or version
     */
    public static EmbeddedKafka start(Config config) {
        EmbeddedKafka kafka = new EmbeddedKafka(config);
        kafka.restart();
        return kafka;
    }

    /** For {@code bootstrap.servers}; the same after every restart. */
    public String bootstrapServers() {
        return address();
    }

    /** The folder it was started on. */
    public Path dataFolder() {
        return dataFolder;
    }

    /**
     * Why a broker of this process has given up since this one started, for instance because the disk is full; empty
     * while all is well. Such a broker serves no more and should be restarted, or the process ended.
     */
    public Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    @Override
    void launch(@Nullable Path folder) throws Exception {
        if (folder == null) {
            throw new IllegalStateException("Kafka has no data folder");
        }
        failure = null;
        KafkaFolder.prepare(folder, KafkaSettings.CONTROLLER_LISTENER);
        KafkaExits.listen(onGivenUp);
        Properties settings = KafkaSettings.of(folder, port(), FreePorts.free());
        server = new KafkaRaftServer(KafkaConfig.fromProps(settings, false), Time.SYSTEM);
        server.startup();
        String reason = failure;
        if (reason != null) {
            throw new EmbeddedServerException("Kafka did not start on %s: %s".formatted(address(), reason));
        }
    }

    @Override
    void shutDown() {
        KafkaRaftServer stopping = server;
        server = null;
        try {
            if (stopping != null) {
                stopping.shutdown();
                stopping.awaitShutdown();
            }
        } finally {
            KafkaExits.forget(onGivenUp);
        }
    }

    private void gaveUp(String reason) {
        failure = reason;
    }
}
