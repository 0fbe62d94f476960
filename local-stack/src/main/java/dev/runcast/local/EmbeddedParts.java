package dev.runcast.local;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.embedded.EmbeddedRedis;
import dev.runcast.embedded.EmbeddedServer;
import dev.runcast.embedded.EmbeddedServerException;
import dev.runcast.embedded.EmbeddedTemporal;
import dev.runcast.embedded.FreePorts;
import java.io.IOException;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.springframework.util.FileSystemUtils;

/** The servers under a stack: those that were given, and embedded ones for the rest. */
final class EmbeddedParts implements AutoCloseable {
    private static final int KAFKA_PORT = 9092;
    private static final int MONGO_PORT = 27017;
    private static final int REDIS_PORT = 6379;

    private final List<EmbeddedServer> started = new ArrayList<>();
    private final String kafka;
    private final String mongo;
    private final String redis;
    private final String temporal;
    private final boolean storeIsEmbedded;
    private final boolean storeMayLackWrites;

    private EmbeddedParts(StackOptions options, Path folder, boolean onlyLogAndStore, Consumer<String> progress) {
        @Nullable String none = onlyLogAndStore ? "" : null;
        ExecutorService starters = Executors.newCachedThreadPool();
        try {
            // Kafka takes the longest, so the others start beside it.
            var kafkaStart = embedded(
                    starters,
                    progress,
                    options.kafka,
                    KAFKA_PORT,
                    port -> EmbeddedKafka.start(new EmbeddedKafka.Config(folder.resolve("kafka"), port)));
            var mongoStart = embedded(starters, progress, options.mongo, MONGO_PORT, port -> startMongo(folder, port));
            var redisStart = embedded(
                    starters,
                    progress,
                    options.redis == null ? none : options.redis,
                    REDIS_PORT,
                    port -> EmbeddedRedis.start(new EmbeddedRedis.Config(folder.resolve("redis"), port, false)));
            var temporalStart = embedded(
                    starters,
                    progress,
                    options.temporal == null ? none : options.temporal,
                    options.temporalPort,
                    EmbeddedTemporal::start);
            // All of them, also when one has failed: close() stops only what has been started by then.
            ended(kafkaStart, mongoStart, redisStart, temporalStart);
            EmbeddedKafka ownKafka = join(kafkaStart);
            EmbeddedMongo ownMongo = join(mongoStart);
            EmbeddedRedis ownRedis = join(redisStart);
            EmbeddedTemporal ownTemporal = join(temporalStart);
            kafka = ownKafka == null ? given(options.kafka) : ownKafka.bootstrapServers();
            mongo = ownMongo == null ? given(options.mongo) : ownMongo.connectionString();
            redis = ownRedis == null ? given(options.redis == null ? none : options.redis) : ownRedis.uri();
            temporal = ownTemporal == null
                    ? given(options.temporal == null ? none : options.temporal)
                    : ownTemporal.target();
            storeIsEmbedded = ownMongo != null;
            storeMayLackWrites = storeIsEmbedded && Files.exists(mark(folder));
        } catch (RuntimeException e) {
            try {
                close();
            } catch (RuntimeException whileStopping) {
                e.addSuppressed(whileStopping);
            }
            throw e;
        } finally {
            starters.shutdown();
        }
    }

    private static void ended(CompletableFuture<?>... starts) {
        CompletableFuture.allOf(starts).exceptionally(failure -> null).join();
    }

    // The server forgets at its next clean stop how it found its files, so the mark is written before anything
    // else can fail.
    private static EmbeddedMongo startMongo(Path folder, int port) {
        EmbeddedMongo.Config config = new EmbeddedMongo.Config(folder.resolve("mongo"), port);
        EmbeddedMongo mongo = EmbeddedMongo.start(config);
        if (mongo.previousStopWasClean()) {
            return mongo;
        }
        try {
            Files.writeString(mark(folder), "The store may lack writes: the next start repairs it from the log.\n");
            // A kill can leave indexes that contradict the documents, on which a repair would fail: all is in the log.
            mongo.close();
            FileSystemUtils.deleteRecursively(folder.resolve("mongo"));
        } catch (IOException e) {
            mongo.close();
            throw new StackException(folder + " cannot be repaired: " + e, e);
        }
        return EmbeddedMongo.start(config);
    }

    /**
     * Starts what is not given and makes sure that what is given answers.
     *
     * @throws StackException when a server cannot start or does not answer; nothing is left running
     */
    static EmbeddedParts start(StackOptions options, Path folder, Consumer<String> progress) {
        return new EmbeddedParts(options, folder, false, progress);
    }

    /**
     * Only Kafka and MongoDB; the others have no address.
     *
     * @throws StackException as {@link #start}
     */
    static EmbeddedParts logAndStore(StackOptions options, Path folder, Consumer<String> progress) {
        return new EmbeddedParts(options, folder, true, progress);
    }

    String kafka() {
        return kafka;
    }

    String mongo() {
        return mongo;
    }

    String redis() {
        return redis;
    }

    String temporal() {
        return temporal;
    }

    boolean storeIsEmbedded() {
        return storeIsEmbedded;
    }

    /** The embedded store was once not stopped cleanly and has not been repaired since, so writes may be gone. */
    boolean storeMayLackWrites() {
        return storeMayLackWrites;
    }

    /** The file that outlives a repair that is broken off, even by a clean stop. */
    static Path mark(Path folder) {
        return folder.resolve("repair-needed");
    }

    /** @throws StackException when it cannot be removed */
    static void removeMark(Path folder) {
        try {
            Files.deleteIfExists(mark(folder));
        } catch (IOException e) {
            throw new StackException(mark(folder) + " cannot be removed: " + e, e);
        }
    }

    private <S extends EmbeddedServer> CompletableFuture<@Nullable S> embedded(
            ExecutorService starters,
            Consumer<String> progress,
            @Nullable String given,
            int preferredPort,
            IntFunction<S> start) {
        if (given != null) {
            return CompletableFuture.completedFuture(null);
        }
        return CompletableFuture.supplyAsync(
                () -> {
                    FreePorts.Choice choice = FreePorts.preferred(preferredPort);
                    S server = startOn(choice, start);
                    synchronized (started) {
                        started.add(server);
                    }
                    progress.accept("%s listens on %s%s (%d ms)"
                            .formatted(
                                    server.info().name(),
                                    server.info().address(),
                                    server.port() != preferredPort ? ", since port " + preferredPort + " is taken" : "",
                                    server.info().startup().toMillis()));
                    return server;
                },
                starters);
    }

    /** Between the choice and the start somebody else may take the port, or only try it and be gone again. */
    static <S> S startOn(FreePorts.Choice choice, IntFunction<S> start) {
        try {
            return start.apply(choice.port());
        } catch (EmbeddedServerException e) {
            if (!couldNotBind(e) && FreePorts.isFree(choice.port())) {
                throw e;
            }
            return start.apply(FreePorts.free());
        }
    }

    private static boolean couldNotBind(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            // Netty's own transport has another class for it.
            if (cause instanceof BindException
                    || String.valueOf(cause.getMessage()).contains("Address already in use")) {
                return true;
            }
        }
        return false;
    }

    private static <S> @Nullable S join(CompletableFuture<@Nullable S> start) {
        try {
            return start.join();
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new StackException(String.valueOf(cause.getMessage()), cause);
        }
    }

    private static String given(@Nullable String address) {
        if (address == null) {
            throw new IllegalStateException("a server is neither given nor embedded");
        }
        return address;
    }

    @Override
    public void close() {
        List<EmbeddedServer> stopping;
        synchronized (started) {
            stopping = new ArrayList<>(started);
            started.clear();
        }
        // Kafka last: the others are only copies of what it holds.
        stopping.sort((one, other) -> Boolean.compare(one instanceof EmbeddedKafka, other instanceof EmbeddedKafka));
        RuntimeException failed = null;
        for (EmbeddedServer server : stopping) {
            try {
                server.close();
            } catch (RuntimeException e) {
                // The others are stopped all the same.
                if (failed == null) {
                    failed = e;
                } else {
                    failed.addSuppressed(e);
                }
            }
        }
        if (failed != null) {
            throw failed;
        }
    }
}
