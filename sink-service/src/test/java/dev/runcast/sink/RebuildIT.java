package dev.runcast.sink;

import static dev.runcast.sink.SinkTesting.assertStored;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.mongodb.reactivestreams.client.MongoClient;
import com.mongodb.reactivestreams.client.MongoClients;
import com.mongodb.reactivestreams.client.MongoCollection;
import com.mongodb.reactivestreams.client.MongoDatabase;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.topics.Topic;
import dev.runcast.v1.UpdateBatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

class RebuildIT {
    private static final Rebuild.Watcher SILENT = (step, done, all) -> {};

    @TempDir
    static Path folder;

    private static SinkServers servers;
    private static final List<RunLog> RUNS = new ArrayList<>();

    @BeforeAll
    static void start() {
        servers = new SinkServers(folder);
        for (int i = 0; i < 12; i++) {
            RUNS.add(RunLog.of("run-" + i, 25 * i).appendToNothing());
        }
        // As they come in life: all at once, each in order, with what is not an update in between.
        Random random = new Random(1);
        List<List<UpdateBatch>> left = new ArrayList<>();
        RUNS.forEach(run -> left.add(new ArrayList<>(run.updates())));
        while (!left.isEmpty()) {
            List<UpdateBatch> next = left.get(random.nextInt(left.size()));
            servers.log(next.remove(0));
            left.removeIf(List::isEmpty);
        }
        servers.poison(Topic.UPDATES, 2, "default/run-1".getBytes(UTF_8), new byte[] {1});
        servers.poison(Topic.UPDATES, 2, null, null);
        servers.flush();
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @Test
    void storeThatLostDocumentsHasThemAgain() {
        try (MongoExecutionStore store = servers.store();
                MongoClient client = MongoClients.create(servers.mongo.connectionString())) {
            repair(store);
            Random random = new Random(2);
            for (String collection : List.of("executions", "entries", "texts", "changes", "rejected")) {
                loseSome(client.getDatabase("runcast").getCollection(collection), random);
            }
            repair(store);
            repair(store);
        }
    }

    @Test
    void emptyStoreIsFilledAndTheSinkGoesOnFromThere() {
        InMemoryExecutionStore store = new InMemoryExecutionStore();
        List<Rebuild.Step> told = new ArrayList<>();
        RebuildReport done = rebuild(store).replace((step, reached, all) -> told.add(step));
        RUNS.forEach(run -> assertStored(store, run));
        assertThat(done.replaced()).isEqualTo(RUNS.size());
        assertThat(told).containsOnly(Rebuild.Step.REPLACE);
        assertThat(rebuild(store).verify(SILENT).allEqual()).isTrue();
    }

    @Test
    void feedThatIsStoredAlreadyIsLeftOutByTheSink() {
        try (MongoExecutionStore store = servers.store()) {
            repair(store);
            RUNS.forEach(servers::feed);
            RunLog more = RunLog.of("more", 3);
            try (ConfigurableApplicationContext sink = servers.startSink("after-repair")) {
                servers.feed(more);
                org.awaitility.Awaitility.await()
                        .atMost(Duration.ofSeconds(30))
                        .untilAsserted(() -> assertStored(store, more));
            }
            RUNS.forEach(run -> assertStored(store, run));
            assertThat(store.deadLetters(10).collectList().block()).isEmpty();
        }
    }

    @Test
    void everyChangedDocumentIsFoundAloneAndMended() {
        try (MongoExecutionStore store = servers.store();
                MongoClient client = MongoClients.create(servers.mongo.connectionString())) {
            repair(store);
            RunLog run = RUNS.get(5);
            MongoDatabase database = client.getDatabase("runcast");
            set(database, "executions", run.key().toString(), "phase", "RUNNING");
            assertOnly(store, run, "execution.phase: RUNNING (expected: COMPLETED)");
            set(database, "entries", run.key() + "/0000000002", "state", "FAILED");
            assertOnly(store, run, "entries[2].state: FAILED (expected: ");
            Document texts = Mono.from(database.getCollection("texts")
                            .find(new Document("_id", run.key() + "/m1/TEXT/1/0000000000")))
                    .block();
            Document pieces = texts.get("pieces", Document.class);
            String first = pieces.keySet().iterator().next();
            String text = pieces.get(first, Document.class).getString("text");
            set(database, "texts", texts.getString("_id"), "pieces." + first + ".text", "б" + text.substring(1));
            assertOnly(store, run, "entries[1].message.text");
            for (int seed = 1; seed <= 5; seed++) {
                assertThat(store.damage(run.key(), new Random(seed)).block())
                        .contains(run.key().toString());
                assertOnly(store, run, "");
            }
        }
    }

    /** The one execution is reported, with this difference, and is as it was after a rebuild. */
    private static void assertOnly(MongoExecutionStore store, RunLog run, String difference) {
        RebuildReport found = rebuild(store).verify(SILENT);
        assertThat(found.findings()).singleElement().satisfies(finding -> {
            assertThat(finding.key()).isEqualTo(run.key());
            assertThat(finding.verdict()).isEqualTo(Finding.Verdict.DIFFERENT);
            assertThat(finding.difference()).contains(difference);
        });
        assertThat(found.equal()).isEqualTo(RUNS.size() - 1);
        assertThat(rebuild(store).replace(SILENT).replaced()).isEqualTo(1);
        assertThat(rebuild(store).verify(SILENT)).matches(RebuildReport::allEqual);
        assertStored(store, run);
    }

    private static void set(MongoDatabase database, String collection, String id, String field, Object value) {
        assertThat(Mono.from(database.getCollection(collection)
                                .updateOne(new Document("_id", id), new Document("$set", new Document(field, value))))
                        .block()
                        .getModifiedCount())
                .isEqualTo(1);
    }

    @Test
    void whatIsMissingOrBehindOrNotInTheLogIsSaidAndTheLastIsLeft() {
        InMemoryExecutionStore store = new InMemoryExecutionStore();
        rebuild(store).replace(SILENT);
        store.remove(RUNS.get(1).key()).block();
        store.remove(RUNS.get(2).key()).block();
        store.write(StoreWrite.ofChanges(List.of(RUNS.get(2).changes().get(0)))).block();
        RunLog foreign = RunLog.of("foreign", 3);
        foreign.changes().forEach(batch -> store.write(StoreWrite.ofChanges(List.of(batch)))
                .block());
        RebuildReport found = rebuild(store).verify(SILENT);
        assertThat(found.findings())
                .extracting(finding -> finding.key().executionId() + ' ' + finding.verdict())
                .containsExactlyInAnyOrder("run-1 MISSING", "run-2 BEHIND", "foreign NOT_IN_LOG");
        assertThat(rebuild(store).replace(SILENT).replaced()).isEqualTo(2);
        assertThat(rebuild(store).verify(SILENT).findings())
                .extracting(Finding::verdict)
                .containsExactly(Finding.Verdict.NOT_IN_LOG);
        assertStored(store, foreign);
    }

    @Test
    void theServiceComparesAndRebuildsAsAJob() {
        try (MongoExecutionStore store = servers.store()) {
            repair(store);
            store.damage(RUNS.get(4).key(), new Random(7)).block();
            assertThat(RebuildApplication.run(job("verify"))).isEqualTo(3);
            assertThat(RebuildApplication.run(job("rebuild"))).isZero();
            assertThat(RebuildApplication.run(job("verify"))).isZero();
        }
    }

    private static String[] job(String mode) {
        List<String> arguments = new ArrayList<>(List.of(servers.arguments("job")));
        arguments.add("--runcast.sink.mode=" + mode);
        return arguments.toArray(String[]::new);
    }

    @Test
    void aRunningSinkIsComparedWithAndNotWrittenBeside() {
        try (MongoExecutionStore store = servers.store();
                ConfigurableApplicationContext sink = servers.startSink("beside")) {
            repair(store);
            org.awaitility.Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertThatThrownBy(
                            () -> SinkGroup.requireNone(servers.clients(), "beside"))
                    .isInstanceOf(RebuildException.class)
                    .hasMessageContaining("beside-mongo has 1 member (expected: none"));
            assertThat(rebuild(store).verify(SILENT)).matches(RebuildReport::allEqual);
        }
        SinkGroup.requireNone(servers.clients(), "beside");
        SinkGroup.requireNone(servers.clients(), "never-seen");
    }

    private static Rebuild rebuild(ExecutionStore store) {
        return new Rebuild(servers.clients(), store, Duration.ZERO);
    }

    private static void repair(MongoExecutionStore store) {
        RebuildReport done = rebuild(store).replace(SILENT);
        assertThat(done.executions()).isEqualTo(RUNS.size());
        assertThat(done.updates())
                .isEqualTo(RUNS.stream().mapToLong(run -> run.updates().size()).sum());
        RUNS.forEach(run -> assertStored(store, run));
        assertThat(store.rejected(RUNS.get(3).key(), "", 10).block().items()).hasSize(1);
        assertThat(rebuild(store).verify(SILENT)).matches(RebuildReport::allEqual);
    }

    private static void loseSome(MongoCollection<Document> collection, Random random) {
        List<Document> all = Flux.from(collection.find()).collectList().block();
        assertThat(all).isNotEmpty();
        for (Document document : all) {
            if (random.nextInt(3) == 0) {
                Mono.from(collection.deleteOne(new Document("_id", document.get("_id"))))
                        .block();
            }
        }
    }
}
