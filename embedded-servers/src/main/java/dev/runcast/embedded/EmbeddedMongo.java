package dev.runcast.embedded;

import de.bwaldvogel.mongo.MongoServer;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.jspecify.annotations.Nullable;

/**
 * A server in this process that speaks MongoDB's wire protocol (as version 5.0), in memory or on an H2 file.
 *
 * <p>It is not MongoDB: no transactions, sessions, change streams, pipeline updates or expiry, and only a filter on
 * exactly {@code _id} is fast. After {@code kill -9} the file lacks acknowledged writes, the last second's and possibly
 * more: whoever starts it asks {@link #previousStopWasClean()} and repairs the store from the log.
 */
public final class EmbeddedMongo extends RestartableServer {

    private static final String FILE = "mongo.mv.db";

    private static final int CACHE_MIB = 16;

    /**
     * In percent: H2 writes the file's emptiest parts again when less of it than this is in use, and, while others write,
     * when less than this squared is, here 9. With the default of 90 a store of a gigabyte that is written to is written
     * again all the time, and what is read for it fills the heap.
     */
    private static final int COMPACT_BELOW = 30;

    private static final int WORKER_THREADS = 4;

    private @Nullable MVStore store;

    private @Nullable MongoServer server;

    /**
     * Where the server keeps its data and listens.
     *
     * @param dataFolder created when it is new; null keeps everything in memory and forgets it at a stop
     * @param port 1 to 65535, or 0 for a free one
     */
    public record Config(@Nullable Path dataFolder, int port) {

        /** @throws IllegalArgumentException when the port is out of range */
        public Config {
            FreePorts.checkRange(port);
        }

        /** On a free port, with files. */
        public static Config in(Path dataFolder) {
            return new Config(dataFolder, 0);
        }

        /** On a free port, without files. */
        public static Config inMemory() {
            return new Config(null, 0);
        }
    }

    private EmbeddedMongo(Config config) {
        super("MongoDB", config.port(), config.dataFolder());
    }

    /**
     * Starts a server and returns when it takes connections.
     *
     * @throws EmbeddedServerException when the port is taken, or the folder cannot be written, is in use, or holds a
     *     file of another version
     */
    public static EmbeddedMongo start(Config config) {
        EmbeddedMongo mongo = new EmbeddedMongo(config);
        mongo.restart();
        return mongo;
    }

    /** {@code mongodb://127.0.0.1:port}, without a database; the same after every restart. */
    public String connectionString() {
        return "mongodb://" + address();
    }

    /**
     * Whether nothing acknowledged can be missing in the data folder: the server that had it before this start stopped
     * cleanly, or there was none. While one runs, and after it was killed, a file {@code unclean} is in the folder.
     */
    public boolean previousStopWasClean() {
        return !uncleanBefore();
    }

    @Override
    void launch(@Nullable Path folder) {
        MVStore opened = open(folder);
        store = opened;
        MongoServer starting = new MongoServer(new BsonBackend(opened));
        server = starting;
        starting.bind(new InetSocketAddress(FreePorts.loopback(), port()), 1, WORKER_THREADS);
    }

    @Override
    void shutDown() {
        MongoServer stopping = server;
        server = null;
        if (stopping != null) {
            stopping.shutdownNow();
        }
        MVStore closing = store;
        store = null;
        if (closing != null && !closing.isClosed()) {
            closing.close();
        }
    }

    private static MVStore open(@Nullable Path folder) {
        MVStore.Builder builder = new MVStore.Builder().cacheSize(CACHE_MIB).autoCompactFillRate(COMPACT_BELOW);
        if (folder == null) {
            return builder.open();
        }
        Path file = folder.resolve(FILE);
        try {
            return builder.fileName(file.toString()).open();
        } catch (MVStoreException e) {
            throw new EmbeddedServerException(
                    "MongoDB data file: %s (expected: a file this version of the server wrote): %s"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }
}
