package dev.runcast.faults;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** The table of faults. */
final class Scenarios {
    /** Brokers look for transactions that have timed out every 10 s. */
    private static final Duration PAST_TRANSACTION_TIMEOUT =
            Cluster.TRANSACTION_TIMEOUT.plusSeconds(11);

    private static final Duration START = Duration.ofSeconds(60);

    static final List<Scenario> ALL = List.of(
            new Scenario("nothing", "nothing happens: what the others are compared with", 6, (cluster, random) -> {}),
            new Scenario("ingest-killed", "ingest is killed twice", 12, Scenarios::killIngest),
            new Scenario("merge-killed", "one of two merges is killed and started again", 12, Scenarios::killMerge),
            new Scenario(
                    "sink-killed",
                    "the sink is killed between its writes: behind the history and before the header, then behind the"
                            + " header and before it commits its offsets",
                    16,
                    Scenarios::killSink),
            new Scenario("broker-killed", "the broker is killed and started on its folder", 12, Scenarios::killBroker),
            new Scenario(
                    "broker-frozen",
                    "the broker stands still beyond the delivery timeout: earlier sends fail and later ones land",
                    14,
                    Scenarios::freezeBroker),
            new Scenario(
                    "merge-frozen",
                    "one of two merges stands still beyond its transaction timeout and then goes on as a zombie",
                    14,
                    Scenarios::freezeMerge),
            new Scenario("mongo-down", "the store cannot be reached for 30 s", 20, Scenarios::mongoDown),
            new Scenario("mongo-slow", "each answer of the store takes 5 s", 14, Scenarios::mongoSlow),
            new Scenario("redis-killed", "Redis is killed and started again, twice", 12, Scenarios::killRedis),
            new Scenario(
                    "redis-cut", "the subscribers' connections to Redis are killed, again and again", 10, Scenarios::cutRedis),
            new Scenario("redis-deaf", "three of ten messages to Redis are lost, and answered", 10, Scenarios::deafRedis),
            new Scenario(
                    "ingest-swallowed",
                    "everything between runners and ingest is swallowed for the whole run",
                    10,
                    Scenarios::swallowIngest),
            new Scenario(
                    "merge-storm", "a merge is started or killed every 3 s", 16, Scenarios::stormMerges),
            new Scenario(
                    "state-deleted", "a merge is killed and its state folder deleted", 12, Scenarios::deleteState),
            new Scenario(
                    "store-unclean",
                    "the embedded store is killed with sink and API and rebuilt from the log",
                    12,
                    Scenarios::killStore),
            new Scenario(
                    "everything-killed", "every process is killed at once and started again", 12, Scenarios::killEverything));

    private Scenarios() {}

    private static void moment(Random random, int fromMillis, int toMillis) {
        Await.pause(Duration.ofMillis(fromMillis + random.nextInt(toMillis - fromMillis)));
    }

    private static ServiceProcess oneMerge(Cluster cluster, Random random) {
        return cluster.merges.get(random.nextInt(2));
    }

    private static void killIngest(Cluster cluster, Random random) {
        for (int i = 0; i < 2; i++) {
            moment(random, 1_000, 3_000);
            cluster.ingest.kill();
            moment(random, 0, 1_000);
            cluster.ingest.start();
            cluster.ingest.awaitReady(START);
        }
    }

    private static void killMerge(Cluster cluster, Random random) {
        moment(random, 2_000, 5_000);
        ServiceProcess merge = oneMerge(cluster, random);
        merge.kill();
        moment(random, 500, 8_000);
        merge.start();
    }

    private static void killSink(Cluster cluster, Random random) {
        moment(random, 1_500, 3_000);
        for (String collection : List.of("changes", "executions")) {
            AtomicBoolean pulled = new AtomicBoolean();
            CountDownLatch killed = new CountDownLatch(1);
            cluster.sinkToMongo.converse(() -> new MongoTap(collection, () -> {
                if (pulled.compareAndSet(false, true)) {
                    cluster.sink.kill();
                    killed.countDown();
                }
            }));
            awaitLatch(killed, "the sink updates " + collection);
            cluster.sinkToMongo.pass();
            cluster.sink.start();
            cluster.sink.awaitReady(START);
            moment(random, 500, 1_000);
        }
    }

    private static void killBroker(Cluster cluster, Random random) {
        moment(random, 2_000, 4_000);
        cluster.broker.kill();
        moment(random, 200, 2_000);
        cluster.broker.start();
        cluster.broker.awaitReady(START);
    }

    private static void freezeBroker(Cluster cluster, Random random) {
        moment(random, 2_000, 4_000);
        cluster.broker.freeze();
        Await.pause(Cluster.DELIVERY_TIMEOUT.plusMillis(2_000 + random.nextInt(1_000)));
        cluster.broker.thaw();
    }

    private static void freezeMerge(Cluster cluster, Random random) {
        moment(random, 1_000, 3_000);
        ServiceProcess merge = oneMerge(cluster, random);
        merge.freeze();
        Await.pause(PAST_TRANSACTION_TIMEOUT);
        merge.thaw();
    }

    private static void mongoDown(Cluster cluster, Random random) {
        moment(random, 1_000, 3_000);
        cluster.sinkToMongo.refuse();
        cluster.apiToMongo.refuse();
        Await.pause(Duration.ofSeconds(30));
        cluster.sinkToMongo.pass();
        cluster.apiToMongo.pass();
    }

    private static void mongoSlow(Cluster cluster, Random random) {
        moment(random, 1_000, 2_000);
        cluster.sinkToMongo.delayAnswers(Duration.ofSeconds(5));
        cluster.apiToMongo.delayAnswers(Duration.ofSeconds(5));
        Await.pause(Duration.ofSeconds(15));
        cluster.sinkToMongo.pass();
        cluster.apiToMongo.pass();
    }

    private static void killRedis(Cluster cluster, Random random) {
        for (int i = 0; i < 2; i++) {
            moment(random, 1_000, 2_500);
            cluster.killRedis();
            moment(random, 500, 2_000);
            cluster.restartRedis();
        }
    }

    private static void cutRedis(Cluster cluster, Random random) {
        for (int i = 0; i < 25; i++) {
            moment(random, 100, 500);
            tellRedis(cluster.redisPort(), "CLIENT KILL TYPE pubsub");
        }
    }

    private static void deafRedis(Cluster cluster, Random random) {
        AtomicLong lost = new AtomicLong();
        cluster.sinkToRedis.converse(() -> new DeafRedis(0.3, new Random(random.nextLong()), lost));
        Await.until("messages to Redis are lost", START, () -> lost.get() > 100);
        moment(random, 1_000, 2_000);
        cluster.sinkToRedis.pass();
    }

    private static void swallowIngest(Cluster cluster, Random random) {
        cluster.toIngest.swallow();
        moment(random, 11_000, 14_000);
        cluster.toIngest.pass();
    }

    private static void stormMerges(Cluster cluster, Random random) {
        for (int i = 0; i < 6; i++) {
            ServiceProcess merge = oneMerge(cluster, random);
            if (merge.isAlive()) {
                merge.kill();
            } else {
                merge.start();
            }
            Await.pause(Duration.ofSeconds(3));
        }
    }

    private static void deleteState(Cluster cluster, Random random) {
        moment(random, 2_000, 4_000);
        int one = random.nextInt(2);
        cluster.merges.get(one).kill();
        Cluster.delete(cluster.stateFolder(one == 0 ? "a" : "b"));
        cluster.merges.get(one).start();
    }

    private static void killStore(Cluster cluster, Random random) {
        moment(random, 3_000, 5_000);
        List.of(cluster.mongo, cluster.sink, cluster.api).parallelStream().forEach(ServiceProcess::kill);
        cluster.rebuildStore();
    }

    private static void killEverything(Cluster cluster, Random random) {
        moment(random, 3_000, 5_000);
        cluster.killAll();
        cluster.broker.start();
        cluster.broker.awaitReady(START);
        cluster.rebuildStore();
    }

    private static void awaitLatch(CountDownLatch latch, String what) {
        try {
            if (!latch.await(START.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException(what + ": not within " + START.toSeconds() + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private static void tellRedis(int port, String command) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            OutputStream out = socket.getOutputStream();
            out.write((command + "\r\n").getBytes(StandardCharsets.US_ASCII));
            out.flush();
            if (socket.getInputStream().read() < 0) {
                throw new IllegalStateException("Redis said nothing to " + command);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
