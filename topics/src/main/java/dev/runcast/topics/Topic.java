package dev.runcast.topics;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The table of topics: every topic there is, and how it is kept. Automatic creation is off;
 * {@link TopicAdministration} creates what is missing from this table.
 */
public enum Topic {
    /** Every update ever, as {@code UpdateBatch}. The log is the only input, so nothing is deleted by default. */
    UPDATES("runcast.updates.v1", Cleanup.DELETE, Kept.FOREVER, true),

    /** Signs of life of runners, as {@code Heartbeat}. Lies beside {@link #UPDATES}, partition by partition. */
    HEARTBEATS("runcast.heartbeats.v1", Cleanup.DELETE, Duration.ofHours(1), true),

    /** What the merge made of the updates, as {@code ChangeBatch}. */
    CHANGES("runcast.changes.v1", Cleanup.DELETE, Duration.ofDays(7), false),

    /** The newest row of every execution, as one flat JSON object; see {@link ExecutionRow}. */
    EXECUTIONS("runcast.executions.v1", Cleanup.COMPACT, Kept.FOREVER, false),

    /** Updates that were not applied, as {@code RejectedUpdate}. */
    REJECTED("runcast.rejected.v1", Cleanup.DELETE, Duration.ofDays(30), false),

    /** The level for the runners of a live execution, as {@code ExecutionSignals}; a null value ends it. */
    SIGNALS("runcast.signals.v1", Cleanup.COMPACT, Kept.FOREVER, false);

    /** The largest record that a topic of Runcast takes, in bytes: 4 MiB, but for {@link #CHANGES}. */
    public static final int MAX_RECORD_BYTES = 4 * 1024 * 1024;

    /**
     * Segments of what is compacted. A broker compacts no segment that it still writes, by default until it has 1 GiB;
     * whoever restores from it reads all that.
     */
    public static final int COMPACTED_SEGMENT_BYTES = 32 * 1024 * 1024;

    /**
     * The largest record of {@link #CHANGES}, in bytes: 36 MiB. One change cannot be cut, and the end of a run settles
     * all of its open entries in one: at most 512 records of at most 64 KiB. Ordinary ones stay below 512 KiB.
     */
    public static final int MAX_CHANGE_BYTES = 36 * 1024 * 1024;

    /** What becomes of old records. */
    public enum Cleanup {
        /** They are deleted when the retention is over. */
        DELETE,
        /** The newest record of each key is kept. */
        COMPACT;

        String configValue() {
            return this == DELETE ? "delete" : "compact";
        }
    }

    private final String topicName;
    private final Cleanup cleanup;
    private final Duration retention;
    private final boolean coPartitioned;

    Topic(String topicName, Cleanup cleanup, Duration retention, boolean coPartitioned) {
        this.topicName = topicName;
        this.cleanup = cleanup;
        this.retention = retention;
        this.coPartitioned = coPartitioned;
    }

    /** The topic's name in Kafka, such as {@code runcast.updates.v1}. */
    public String topicName() {
        return topicName;
    }

    /** What becomes of its old records. */
    public Cleanup cleanup() {
        return cleanup;
    }

    /** The largest record that it takes, in bytes. */
    public int maxRecordBytes() {
        return this == CHANGES ? MAX_CHANGE_BYTES : MAX_RECORD_BYTES;
    }

    /** How long a record is kept where {@link #cleanup()} is DELETE. Negative means for ever. */
    public Duration retention() {
        return retention;
    }

    /**
     * Whether the same key must lie in the same partition of all topics marked so: the merge reads
     * them side by side, hence they have one partition count.
     */
    public boolean coPartitioned() {
        return coPartitioned;
    }

    /**
     * The topic-level settings it is created with. Compression is left to the producers
     * ({@code compression.type=producer} is the broker's default).
     */
    Map<String, String> configs(int replicationFactor) {
        Map<String, String> configs = new LinkedHashMap<>();
        configs.put("cleanup.policy", cleanup.configValue());
        configs.put("max.message.bytes", Integer.toString(maxRecordBytes()));
        if (cleanup == Cleanup.DELETE) {
            configs.put("retention.ms", Long.toString(retention.toMillis()));
        } else {
            configs.put("segment.bytes", Integer.toString(COMPACTED_SEGMENT_BYTES));
            // A reader that was away for less than this still sees that an execution's level has ended.
            configs.put("delete.retention.ms", Long.toString(Duration.ofDays(1).toMillis()));
        }
        // With acks=all an acked record survives the loss of any one replica but the last.
        configs.put("min.insync.replicas", Integer.toString(Math.max(1, replicationFactor - 1)));
        return configs;
    }

    /** Constants that the table itself needs, which cannot stand in the enum. */
    private static final class Kept {
        /** A retention without an end, as Kafka says it. */
        static final Duration FOREVER = Duration.ofMillis(-1);
    }
}
