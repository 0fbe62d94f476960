package dev.runcast.store;

import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class MongoGuardedStoreIT extends ExecutionStoreContract {
    private static EmbeddedMongo server;
    private static MongoExecutionStore store;

    @BeforeAll
    static void start() {
        server = EmbeddedMongo.start(EmbeddedMongo.Config.inMemory());
        store = MongoExecutionStore.connect(
                new MongoSettings(server.connectionString(), "runcast", true, Duration.ofSeconds(10)));
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
}
