package dev.runcast.sink;

import static dev.runcast.sink.SinkTesting.assertStored;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.DeadLetter;
import dev.runcast.store.Ring;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.redis.RedisChangeBell;
import dev.runcast.store.redis.RedisSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.ChangeBatch;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.context.ConfigurableApplicationContext;

class SinkApplicationIT {
    @TempDir
    static Path folder;

    private static SinkServers servers;
    private static MongoExecutionStore store;
    private static RedisChangeBell bell;

    @BeforeAll
    static void start() {
        servers = new SinkServers(folder);
        store = servers.store();
        bell = RedisChangeBell.connect(RedisSettings.of(servers.redis.uri()));
    }

    @AfterAll
    static void stop() {
        bell.close();
        store.close();
        servers.close();
    }

    @Test
    void feedBecomesDocumentsAndRings() {
        RunLog run = RunLog.of(name(), 300).appendToNothing();
        List<Ring> heard = listen(run.key());
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            awaitAssigned(sink);
            servers.feed(run);
            run.rejected()
                    .forEach(update -> servers.feed(
                            update.toBuilder().setPartition(1).setOffset(7).build()));
            eventually().untilAsserted(() -> assertStored(store, run));
            eventually().untilAsserted(() -> assertThat(newest(heard)).isEqualTo(run.version()));
            eventually().untilAsserted(() -> assertThat(
                            store.rejected(run.key(), "", 10).block().items())
                    .hasSize(1));
        }
    }

    @Test
    void restartWithoutACommittedOffsetGivesTheSameDocuments() {
        List<RunLog> runs = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            runs.add(RunLog.of(name(), 40));
        }
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            runs.forEach(servers::feed);
            eventually().untilAsserted(() -> runs.forEach(run -> assertStored(store, run)));
        }
        // Another group has no offsets: everything comes again.
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            RunLog later = RunLog.of(name(), 5);
            servers.feed(later);
            eventually().untilAsserted(() -> assertStored(store, later));
            runs.forEach(run -> assertStored(store, run));
        }
    }

    @Test
    void changesThatAreNotCommittedRingButAreNotStored() {
        RunLog run = RunLog.of(name(), 20);
        List<Ring> heard = listen(run.key());
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            awaitAssigned(sink);
            try (KafkaProducer<byte[], byte[]> merge = servers.transaction(name())) {
                run.changes().forEach(batch -> merge.send(RecordCodec.CHANGES.record(batch)));
                merge.flush();
                eventually().untilAsserted(() -> assertThat(newest(heard)).isEqualTo(run.version()));
                assertThat(store.execution(run.key()).blockOptional()).isEmpty();
                merge.abortTransaction();
            }
            // Done again, as by the instance that takes over.
            servers.feed(run);
            eventually().untilAsserted(() -> assertStored(store, run));
        }
    }

    @Test
    void mongoOutageLosesNothingAndRedisGoesOn() {
        RunLog before = RunLog.of(name(), 10);
        RunLog during = RunLog.of(name(), 50);
        List<Ring> heard = listen(during.key());
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            awaitAssigned(sink);
            servers.feed(before);
            eventually().untilAsserted(() -> assertStored(store, before));
            servers.mongo.stop();
            servers.feed(during);
            eventually().untilAsserted(() -> assertThat(newest(heard)).isEqualTo(during.version()));
            FeedProgress progress = sink.getBean("mongoProgress", FeedProgress.class);
            // Longer than the driver's own patience, so that the poll fails and is tried again.
            eventually()
                    .until(() -> progress.failing() != null && progress.lag().compareTo(Duration.ofSeconds(5)) > 0);
            servers.mongo.restart();
            eventually().ignoreExceptions().untilAsserted(() -> assertStored(store, during));
            eventually().until(() -> progress.failing() == null);
            assertStored(store, before);
        }
    }

    @Test
    void redisOutageStopsNothingAndRingingComesBack() {
        RunLog during = RunLog.of(name(), 20);
        RunLog after = RunLog.of(name(), 20);
        List<Ring> heard = listen(after.key());
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            awaitAssigned(sink);
            servers.redis.stop();
            try {
                servers.feed(during);
                eventually().untilAsserted(() -> assertStored(store, during));
            } finally {
                servers.redis.restart();
            }
            // One that was told is one that has its subscription back.
            eventually().until(() -> heard.size() > 1);
            eventually().until(() -> {
                servers.feed(after);
                servers.flush();
                return newest(heard) == after.version();
            });
            eventually().untilAsserted(() -> assertStored(store, after));
        }
    }

    @Test
    void poisonInOnePartitionHoldsNeitherItNorItsNeighbours() {
        RunLog first = RunLog.of(name(), 10);
        String key = name();
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            for (int partition = 0; partition < 4; partition++) {
                servers.poison(Topic.CHANGES, partition, key.getBytes(UTF_8), new byte[] {(byte) 0xff, 1, 2});
                servers.poison(Topic.CHANGES, partition, key.getBytes(UTF_8), null);
            }
            servers.poison(Topic.REJECTED, 0, null, "garbage".getBytes(UTF_8));
            servers.feed(ChangeBatch.newBuilder()
                    .setTenant("default")
                    .setExecutionId(key)
                    .addAllChanges(first.changes().get(5).getChangesList())
                    .build());
            servers.feed(first);
            eventually().untilAsserted(() -> assertStored(store, first));
            eventually().untilAsserted(() -> assertThat(
                            store.deadLetters(1_000).collectList().block())
                    .filteredOn(letter -> letter.key().endsWith(key))
                    .extracting(DeadLetter::reason)
                    .hasSize(9)
                    .containsOnlyOnce("VERSION_GAP"));
            eventually().untilAsserted(() -> assertThat(
                            store.deadLetters(1_000).collectList().block())
                    .anyMatch(letter -> letter.topic().equals(Topic.REJECTED.topicName())));
        }
    }

    @Test
    void recordsUnderWrongKeysBecomeDeadLettersAndHoldNobodyUp() {
        RunLog run = RunLog.of(name(), 10).appendToNothing();
        String key = name();
        byte[] change = run.changes().get(0).toByteArray();
        byte[] rejected = run.rejected().get(0).toByteArray();
        try (ConfigurableApplicationContext sink = servers.startSink(name())) {
            for (int partition = 0; partition < 4; partition++) {
                servers.poison(Topic.CHANGES, partition, ("default/" + key).getBytes(UTF_8), change);
                servers.poison(Topic.CHANGES, partition, ("a/b/" + key).getBytes(UTF_8), change);
                servers.poison(Topic.REJECTED, partition, ("default/" + key).getBytes(UTF_8), rejected);
                servers.poison(Topic.REJECTED, partition, ("$." + key).getBytes(UTF_8), null);
            }
            servers.feed(run);
            eventually().untilAsserted(() -> assertStored(store, run));
            eventually().untilAsserted(() -> assertThat(
                            store.deadLetters(1_000).collectList().block())
                    .filteredOn(letter -> letter.key().endsWith(key))
                    .hasSize(16)
                    .allSatisfy(letter -> assertThat(letter.message()).contains("(expected: ")));
            assertThat(store.execution(new ExecutionKey("default", key)).blockOptional())
                    .isEmpty();
        }
    }

    @Test
    void twoInstancesShareTheWorkAndOneMayLeave() {
        String group = name();
        List<RunLog> runs = new ArrayList<>();
        ConfigurableApplicationContext leaving = servers.startSink(group);
        try (ConfigurableApplicationContext staying = servers.startSink(group)) {
            for (int i = 0; i < 8; i++) {
                RunLog run = RunLog.of(name(), 60);
                runs.add(run);
                run.changes().subList(0, 30).forEach(servers::feed);
            }
            servers.flush();
            leaving.close();
            for (RunLog run : runs) {
                run.changes().subList(30, run.changes().size()).forEach(servers::feed);
            }
            eventually().untilAsserted(() -> runs.forEach(run -> assertStored(store, run)));
        } finally {
            leaving.close();
        }
    }

    @Test
    void itServesItsHealthAndItsCounters() throws Exception {
        String[] arguments = servers.arguments(name());
        arguments = java.util.Arrays.copyOf(arguments, arguments.length + 1);
        arguments[arguments.length - 1] = "--server.port=0";
        try (ConfigurableApplicationContext sink = SinkApplication.builder().run(arguments)) {
            String port = sink.getEnvironment().getRequiredProperty("local.server.port");
            eventually().until(() -> get(port, "/actuator/health/readiness").statusCode() == 200);
            assertThat(get(port, "/actuator/health/liveness").body()).contains("mongoFeedAlive", "redisFeedAlive");
            assertThat(get(port, "/actuator/metrics/runcast.sink.lag").body()).contains("redis");
        }
    }

    private static String name() {
        return "n" + UUID.randomUUID();
    }

    private static ConditionFactory eventually() {
        return await().atMost(Duration.ofSeconds(60));
    }

    /** The live reader begins at the end: what is fed before that is not for it. */
    private static void awaitAssigned(ConfigurableApplicationContext sink) {
        SinkTesting.awaitPositions(sink);
    }

    private static List<Ring> listen(ExecutionKey key) {
        List<Ring> heard = new CopyOnWriteArrayList<>();
        bell.listen(key).subscribe(heard::add);
        await().until(() -> !heard.isEmpty());
        return heard;
    }

    private static long newest(List<Ring> heard) {
        Ring last = heard.get(heard.size() - 1);
        return last instanceof Ring.Changes changes
                ? changes.batch()
                        .getChanges(changes.batch().getChangesCount() - 1)
                        .getVersion()
                : 0;
    }

    private static HttpResponse<String> get(String port, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        BodyHandlers.ofString());
    }
}
