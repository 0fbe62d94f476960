package dev.runcast.embedded;

import java.util.Map;
import org.slf4j.event.Level;

/**
 * The loggers of the embedded servers that say in the ordinary course of things what only their own developers read. This
 * module configures no logging; whoever does sets these.
 */
public final class NoisyLoggers {

    /**
     * The lowest level to let through, by logger name; with these, starting, serving and stopping on good folders and
     * free ports says nothing. Without them a start prints thousands of lines, most of them Kafka's settings.
     */
    public static final Map<String, Level> LEVELS = Map.of(
            "kafka", Level.WARN,
            "org.apache.kafka", Level.WARN,
            // Warns of becoming the only controller at every start.
            "org.apache.kafka.controller", Level.ERROR,
            // Warns at every stop that it is closed already, and of a broker that is being restarted.
            "org.apache.kafka.clients.NetworkClient", Level.ERROR,
            // Warns that a second broker of the process has the node number of the first.
            "org.apache.kafka.common.utils.AppInfoParser", Level.ERROR,
            "state.change.logger", Level.WARN,
            // Warns of every client that is connected at a stop, and of every index that does not constrain anything.
            "de.bwaldvogel.mongo", Level.ERROR,
            "io.temporal", Level.WARN,
            // Prints a stack trace for a call that was cut off at a stop (through java.util.logging).
            "io.grpc.Context", Level.WARN,
            // Warns that this server does without the heartbeats of workers.
            "io.temporal.internal.worker.HeartbeatManager", Level.ERROR);

    private NoisyLoggers() {}
}
