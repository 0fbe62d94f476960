package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MongoFileStoreIT extends ExecutionStoreContract {
    @TempDir
    static Path folder;

    private static EmbeddedMongo server;
    private static MongoExecutionStore store;

    @BeforeAll
    static void start() {
        server = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder));
        store = MongoExecutionStore.connect(MongoSettings.embedded(server.connectionString()));
        store.prepare().block();
    }

    @AfterAll
    static void stop() {
        store.close();
        server.close();
    }

    @Override
    ExecutionStore store() {
        return store;
    }

    @Test
    void everythingIsThereAfterARestart() {
        History history = randomHistory("restart", "e", new Random(4), 300);
        writeInSplits(history, new Random(5));
        String generation = store.generation().block();
        server.stop();
        server.restart();
        // The pool still has connections to the server that was.
        store.prepare().retry(3).block();
        assertThat(store.generation().block()).isEqualTo(generation);
        assertThat(read(history.key())).isEqualTo(history.execution());
        assertThat(entries(history)).isEqualTo(history.entries());
        assertThat(store.executions("restart", ExecutionFilter.parse("labels.k = v"), "", 9)
                        .block()
                        .items())
                .hasSize(1);
        assertThat(Map.copyOf(store.versions(java.util.List.of(history.key())).block()))
                .containsValue(300L);
    }
}
