package dev.runcast.embedded;

import java.nio.file.Path;
import java.util.Properties;

/** The settings of a broker that is its own controller, alone, and shares its memory with everything else. */
final class KafkaSettings {

    static final String CONTROLLER_LISTENER = "CONTROLLER";

    private static final int KIB = 1024;

    private static final int MIB = 1024 * KIB;

    /** The largest record is 4 MiB; a batch around it has a header, and keys and headers of their own. */
    private static final int LARGEST_BATCH = 4 * MIB + 64 * KIB;

    private KafkaSettings() {}

    static Properties of(Path folder, int port, int controllerPort) {
        Properties settings = new Properties();
        settings.put("log.dirs", folder.toString());
        addNetwork(settings, port, controllerPort);
        addSingleNode(settings);
        addTiming(settings);
        addSizes(settings);
        return settings;
    }

    private static void addNetwork(Properties settings, int port, int controllerPort) {
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", Integer.toString(KafkaFolder.NODE_ID));
        settings.put("listeners", "BROKER://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controllerPort);
        settings.put("advertised.listeners", "BROKER://127.0.0.1:" + port);
        settings.put("listener.security.protocol.map", "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
        settings.put("inter.broker.listener.name", "BROKER");
        settings.put("controller.listener.names", CONTROLLER_LISTENER);
        // Voters by configuration, not in the metadata log: so the controller may have another port at every start.
        settings.put("controller.quorum.voters", KafkaFolder.NODE_ID + "@127.0.0.1:" + controllerPort);
    }

    private static void addSingleNode(Properties settings) {
        settings.put("auto.create.topics.enable", "false");
        settings.put("num.partitions", "1");
        settings.put("default.replication.factor", "1");
        settings.put("min.insync.replicas", "1");
        settings.put("offsets.topic.replication.factor", "1");
        settings.put("transaction.state.log.replication.factor", "1");
        settings.put("transaction.state.log.min.isr", "1");
        settings.put("share.coordinator.state.topic.replication.factor", "1");
        settings.put("share.coordinator.state.topic.min.isr", "1");
        // The default of 50 each costs a second when the first group or transaction appears, and 100 open files.
        settings.put("offsets.topic.num.partitions", "5");
        settings.put("transaction.state.log.num.partitions", "5");
        settings.put("share.coordinator.state.topic.num.partitions", "1");
        // A stack left stopped for weeks goes on where it was; the default forgets a group's offsets after 7 days.
        settings.put("offsets.retention.minutes", Integer.toString(365 * 24 * 60));
    }

    private static void addTiming(Properties settings) {
        // After kill -9 the controller waits out the dead session before it lets the broker in again: 11 s by default.
        settings.put("broker.session.timeout.ms", "3000");
        settings.put("broker.heartbeat.interval.ms", "500");
        settings.put("group.initial.rebalance.delay.ms", "0");
        settings.put("group.streams.initial.rebalance.delay.ms", "0");
        // The first record after a commit waits for the markers of the commit, which takes a millisecond or two; the
        // default looks again after 20, and whoever watches sees a stop of that length with every commit.
        settings.put("add.partitions.to.txn.retry.backoff.ms", "1");
        // An idle metadata log is written to (and synced) twice a second by default.
        settings.put("metadata.max.idle.interval.ms", "5000");
    }

    private static void addSizes(Properties settings) {
        settings.put("message.max.bytes", Integer.toString(LARGEST_BATCH));
        settings.put("replica.fetch.max.bytes", Integer.toString(LARGEST_BATCH));
        settings.put("log.segment.bytes", Integer.toString(128 * MIB));
        // Two of these are mapped for every partition: what a 128 MiB segment needs, not the default for 1 GiB.
        settings.put("log.index.size.max.bytes", Integer.toString(MIB));
        settings.put("offsets.topic.segment.bytes", Integer.toString(16 * MIB));
        settings.put("transaction.state.log.segment.bytes", Integer.toString(16 * MIB));
        // Allocated at start: 128 MiB by default. 8 MiB compacts 300,000 keys in one pass, more in several.
        settings.put("log.cleaner.dedupe.buffer.size", Integer.toString(8 * MIB));
        settings.put("log.cleaner.threads", "1");
        settings.put("num.network.threads", "2");
        settings.put("num.io.threads", "4");
        settings.put("background.threads", "2");
        settings.put("num.recovery.threads.per.data.dir", "1");
        settings.put("group.coordinator.threads", "1");
        settings.put("share.coordinator.threads", "1");
        // Nobody reads JMX here, and two brokers of one process would fight for the same names in it.
        settings.put("metric.reporters", "");
    }
}
