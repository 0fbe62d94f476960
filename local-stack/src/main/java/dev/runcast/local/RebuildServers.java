package dev.runcast.local;

import dev.runcast.store.mongo.MongoSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The log and the store that a rebuild works on: those that were given, or those of the stack that runs on the data
 * folder, or else the folder's own, started for it and stopped after it.
 */
final class RebuildServers implements AutoCloseable {
    private final String kafka;
    private final MongoSettings mongo;
    private final boolean alone;
    private final @Nullable EmbeddedParts own;
    private final Path folder;

    private RebuildServers(String kafka, MongoSettings mongo, boolean alone, @Nullable EmbeddedParts own, Path folder) {
        this.kafka = kafka;
        this.mongo = mongo;
        this.alone = alone;
        this.own = own;
        this.folder = folder;
    }

    /** @throws StackException when something does not answer or cannot start; nothing is left running */
    static RebuildServers open(StackOptions options, Consumer<String> progress) {
        options.check();
        Path folder = options.dataFolder();
        if (options.kafka != null && options.mongo != null) {
            return new RebuildServers(options.kafka, MongoSettings.of(options.mongo), false, null, folder);
        }
        if (!Files.exists(folder.resolve("VERSION"))) {
            throw new StackException(
                    "data folder %s: nothing there (expected: one that ./runcast up has used)".formatted(folder));
        }
        Properties running = RunningStack.on(folder);
        if (running != null) {
            progress.accept("a stack runs on " + folder + " (process " + running.getProperty("pid") + ")");
            String itsMongo = running.getProperty("mongo", "");
            return new RebuildServers(
                    options.kafka == null ? running.getProperty("kafka", "") : options.kafka,
                    options.mongo == null ? MongoSettings.embedded(itsMongo) : MongoSettings.of(options.mongo),
                    false,
                    null,
                    folder);
        }
        DataVersion.take(folder);
        StackLog.into(folder);
        EmbeddedParts own;
        try (StartTurn turn = StartTurn.await(progress)) {
            own = EmbeddedParts.logAndStore(options, folder, progress);
        }
        return new RebuildServers(
                own.kafka(),
                options.mongo == null ? MongoSettings.embedded(own.mongo()) : MongoSettings.of(options.mongo),
                options.kafka == null && options.mongo == null,
                own,
                folder);
    }

    String kafka() {
        return kafka;
    }

    MongoSettings mongo() {
        return mongo;
    }

    /** Whether nobody else can reach the two: they were started for this. */
    boolean alone() {
        return alone;
    }

    /**
     * The store is as the log makes it: an unclean stop before no longer matters.
     *
     * @throws StackException when the mark cannot be removed
     */
    void repaired() {
        if (own != null && own.storeMayLackWrites()) {
            EmbeddedParts.removeMark(folder);
        }
    }

    @Override
    public void close() {
        if (own != null) {
            own.close();
        }
    }
}
