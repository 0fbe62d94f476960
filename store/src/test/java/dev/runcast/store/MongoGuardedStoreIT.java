package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import dev.runcast.v1.Phase;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Flux;

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

    @Test
    void writerThatIsBehindCannotTakeAHeaderOrARecordBack() {
        History history = history("e")
                .declared("a", "s", Map.of())
                .message("m")
                .append("m", "one ")
                .append("m", "two ")
                .phase(Phase.PHASE_COMPLETED);
        write(history, 0, 5);
        write(history, 0, 2);
        write(history, 2, 3);
        assertThat(read(history.key())).isEqualTo(history.execution());
        assertThat(entries(history)).isEqualTo(history.entries());
    }

    @Test
    void writersThatRaceForTheFirstWriteLeaveTheNewest() {
        for (int round = 0; round < 20; round++) {
            History history = history("race-" + round).declared("a", "s", Map.of());
            history.message("m").append("m", "one ").append("m", "two ");
            Flux.range(1, 4)
                    .flatMap(through -> store.write(StoreWrite.ofChanges(List.of(history.batch(0, through)))))
                    .blockLast();
            assertThat(read(history.key())).isEqualTo(history.execution());
            assertThat(entries(history)).isEqualTo(history.entries());
        }
    }
}
