package dev.runcast.faults;

import dev.runcast.api.ApiApplication;
import dev.runcast.embedded.EmbeddedRedis;
import dev.runcast.embedded.FreePorts;
import dev.runcast.ingest.IngestApplication;
import dev.runcast.mergestream.MergeStreamApplication;
import dev.runcast.sink.SinkApplication;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import dev.runcast.topics.ClientSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;

/**
 * All of Runcast, each part a process: a broker, a server that speaks MongoDB's protocol, Redis, one ingest, two merges,
 * one sink and one API; proxies stand before ingest and both stores. Timeouts are short, so that a fault outlasts them.
 * One thread uses it.
 */
final class Cluster implements AutoCloseable {
    /** After this a send to the log has failed. */
    static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(3);

    /** After this the brokers may abort what an instance of the merge has begun; they look every 10 s. */
    static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(5);

    /** After this without a sign of life a consumer's partitions go to others: the shortest that brokers allow. */
    static final Duration SESSION_TIMEOUT = Duration.ofSeconds(6);

    private static final Duration START = Duration.ofSeconds(90);
    private static final Duration STOP = Duration.ofSeconds(30);

    final ServiceProcess broker;
    final ServiceProcess mongo;
    final ServiceProcess ingest;
    final List<ServiceProcess> merges;
    final ServiceProcess sink;
    final ServiceProcess api;

    final TcpProxy toIngest;
    /** From sink and API; the sink's is apart, for faults at a precise moment. */
    final TcpProxy sinkToMongo;

    final TcpProxy apiToMongo;
    final TcpProxy sinkToRedis;
    final TcpProxy apiToRedis;

    final int apiHttpPort = FreePorts.free();
    final int apiGrpcPort = FreePorts.free();

    private final Path folder;
    private final int brokerPort = FreePorts.free();
    private final int mongoPort = FreePorts.free();
    private final int ingestPort = FreePorts.free();
    private final EmbeddedRedis redis;
    private final ServiceProcess rebuild;

    private Cluster(Path folder) {
        this.folder = folder;
        Path logs = folder.resolve("logs");
        try {
            Files.createDirectories(logs);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        redis = EmbeddedRedis.start(new EmbeddedRedis.Config(folder.resolve("redis"), 0, false));
        toIngest = new TcpProxy(ingestPort);
        sinkToMongo = new TcpProxy(mongoPort);
        apiToMongo = new TcpProxy(mongoPort);
        sinkToRedis = new TcpProxy(redis.port());
        apiToRedis = new TcpProxy(redis.port());
        broker = ServiceProcess.own(
                "broker",
                BrokerMain.class,
                256,
                logs,
                List.of(folder.resolve("kafka").toString(), Integer.toString(brokerPort)));
        mongo = ServiceProcess.own(
                "mongo",
                MongoMain.class,
                192,
                logs,
                List.of(folder.resolve("mongo").toString(), Integer.toString(mongoPort)));
        ingest = ingest(logs);
        merges = List.of(merge("a", logs), merge("b", logs));
        sink = sink("sink", logs, "serve");
        rebuild = sink("rebuild", logs, "rebuild");
        api = api(logs);
    }

    /** Starts everything; returns when all of it can be used. */
    static Cluster start(Path folder) {
        Cluster cluster = new Cluster(folder);
        try {
            cluster.heal();
            return cluster;
        } catch (RuntimeException e) {
            cluster.close();
            throw e;
        }
    }

    private ServiceProcess ingest(Path logs) {
        int health = FreePorts.free();
        return ServiceProcess.service("ingest", IngestApplication.class, 128, logs, health, kafka(
                "--server.port=" + health,
                "--runcast.ingest.port=" + ingestPort,
                "--runcast.ingest.delivery-timeout=" + DELIVERY_TIMEOUT.toMillis() + "ms"));
    }

    private ServiceProcess merge(String name, Path logs) {
        int health = FreePorts.free();
        return ServiceProcess.service("merge-" + name, MergeStreamApplication.class, 160, logs, health, kafka(
                "--server.port=" + health,
                "--runcast.kafka.properties.transaction.timeout.ms=" + TRANSACTION_TIMEOUT.toMillis(),
                "--runcast.merge.state-directory=" + stateFolder(name),
                "--runcast.merge.instance-id=merge-" + name,
                "--runcast.merge.threads=1",
                "--runcast.merge.rocksdb-memory=16MB",
                "--runcast.merge.session-timeout=" + SESSION_TIMEOUT.toMillis() + "ms"));
    }

    private ServiceProcess sink(String name, Path logs, String mode) {
        int health = FreePorts.free();
        return ServiceProcess.service(name, SinkApplication.class, 160, logs, health, kafka(
                "--server.port=" + health,
                "--runcast.sink.mode=" + mode,
                "--runcast.kafka.properties.session.timeout.ms=" + SESSION_TIMEOUT.toMillis(),
                "--runcast.kafka.properties.heartbeat.interval.ms=1000",
                "--runcast.mongo.uri=mongodb://127.0.0.1:" + sinkToMongo.port(),
                "--runcast.mongo.version-guard=false",
                "--runcast.redis.uri=redis://127.0.0.1:" + sinkToRedis.port()));
    }

    private ServiceProcess api(Path logs) {
        return ServiceProcess.service("api", ApiApplication.class, 160, logs, apiHttpPort, List.of(
                "--runcast.api.http-port=" + apiHttpPort,
                "--runcast.api.grpc-port=" + apiGrpcPort,
                "--runcast.api.watch.bookmark-every=1s",
                "--runcast.mongo.uri=mongodb://127.0.0.1:" + apiToMongo.port(),
                "--runcast.redis.uri=redis://127.0.0.1:" + apiToRedis.port()));
    }

    private List<String> kafka(String... arguments) {
        List<String> all = new ArrayList<>(List.of("--runcast.kafka.bootstrap-servers=127.0.0.1:" + brokerPort));
        all.addAll(List.of(arguments));
        return all;
    }

    /** For the checker's own clients. */
    ClientSettings clients() {
        return new ClientSettings("127.0.0.1:" + brokerPort);
    }

    /** The store itself, past every proxy; to be closed. */
    MongoExecutionStore store() {
        return MongoExecutionStore.connect(MongoSettings.embedded("mongodb://127.0.0.1:" + mongoPort));
    }

    /** Where an instance of the merge keeps its state: {@code a} or {@code b}. */
    Path stateFolder(String instance) {
        return folder.resolve("state-" + instance);
    }

    /** Every process of ours, in the order in which they start. */
    List<ServiceProcess> processes() {
        return List.of(broker, mongo, ingest, merges.get(0), merges.get(1), sink, api);
    }

    /** Takes back every fault: whatever is down or frozen runs again, and every proxy passes. */
    void heal() {
        List.of(toIngest, sinkToMongo, apiToMongo, sinkToRedis, apiToRedis).forEach(TcpProxy::pass);
        processes().forEach(ServiceProcess::thaw);
        if (!redis.isRunning()) {
            redis.restart();
        }
        List<ServiceProcess> servers = List.of(broker, mongo);
        servers.forEach(ServiceProcess::start);
        servers.forEach(server -> server.awaitReady(START));
        processes().forEach(ServiceProcess::start);
        processes().forEach(process -> process.awaitReady(START));
    }

    /** Kills Redis as {@code kill -9} does; it keeps nothing anyway. */
    void killRedis() {
        ProcessHandle.current()
                .children()
                .filter(child -> child.info().command().orElse("").contains("redis"))
                .forEach(child -> {
                    child.destroyForcibly();
                    child.onExit().join();
                });
    }

    /** Starts Redis again, on its port. */
    void restartRedis() {
        redis.restart();
    }

    int redisPort() {
        return redis.port();
    }

    /**
     * Gives the store back what it lost by a kill, as an operator does: the sink's rebuild, as a process of its own, once
     * the brokers have given the dead sink up. Neither sink nor API may run.
     */
    void rebuildStore() {
        mongo.start();
        mongo.awaitReady(START);
        try (Admin admin = Admin.create(clients().admin("faults-groups"))) {
            Await.until("the dead sink has left its group", START, () -> isEmpty(admin, "runcast-sink-mongo"));
        }
        rebuild.start();
        int status = rebuild.awaitEnd(START);
        if (status != 0) {
            throw new IllegalStateException("the rebuild ended with %d (see %s)".formatted(status, rebuild.log()));
        }
    }

    private static boolean isEmpty(Admin admin, String group) {
        try {
            return admin.describeConsumerGroups(List.of(group))
                    .describedGroups()
                    .get(group)
                    .get()
                    .members()
                    .isEmpty();
        } catch (ExecutionException notYet) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Ends everything in order. */
    @Override
    public void close() {
        processes().forEach(ServiceProcess::thaw);
        List<ServiceProcess> all = new ArrayList<>(processes());
        all.remove(broker);
        all.remove(mongo);
        all.parallelStream().forEach(process -> process.stop(STOP));
        mongo.stop(STOP);
        broker.stop(STOP);
        redis.close();
        List.of(toIngest, sinkToMongo, apiToMongo, sinkToRedis, apiToRedis).forEach(TcpProxy::close);
    }

    /** Ends everything at once. */
    void killAll() {
        processes().parallelStream().forEach(ServiceProcess::kill);
    }

    /** Deletes a folder and all in it. */
    static void delete(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (var files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
