package dev.runcast.embedded;

import java.util.List;

/** The loggers of the embedded servers that say at INFO what only their own developers read. */
public final class NoisyLoggers {

    /** Turn these down to WARN: thousands of lines a start otherwise, most of them Kafka's settings. */
    public static final List<String> WARN =
            List.of("kafka", "org.apache.kafka", "state.change.logger", "de.bwaldvogel.mongo", "io.temporal");

    /** Turn these off: what they call errors or warnings is normal when a broker starts and stops alone in a process. */
    public static final List<String> OFF = List.of();

    private NoisyLoggers() {}
}
