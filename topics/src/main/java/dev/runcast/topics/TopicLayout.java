package dev.runcast.topics;

/**
 * How missing topics are created.
 *
 * @param partitions how many partitions each gets, 1 to 10,000. It can never be changed once
 *     executions have been written: the key would move. Where some of the topics exist, their count
 *     is used instead.
 * @param replicationFactor how many brokers keep each partition, 1 to 32,767
 */
public record TopicLayout(int partitions, int replicationFactor) {
    /** What the local stack uses: 4 partitions on one broker. */
    public static final TopicLayout LOCAL = new TopicLayout(4, 1);

    /** Checks the ranges. */
    public TopicLayout {
        if (partitions < 1 || partitions > 10_000) {
            throw new IllegalArgumentException("partitions: " + partitions + " (expected: 1 to 10000)");
        }
        if (replicationFactor < 1 || replicationFactor > Short.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "replicationFactor: " + replicationFactor + " (expected: 1 to " + Short.MAX_VALUE + ")");
        }
    }
}
