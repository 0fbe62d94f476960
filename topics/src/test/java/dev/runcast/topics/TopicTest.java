package dev.runcast.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class TopicTest {
    /** The table is a promise to operators, so it is written down a second time. */
    @Test
    void tableIsAsPublished() {
        assertThat(Arrays.stream(Topic.values()).map(topic -> topic.topicName() + " " + topic.configs(3)))
                .containsExactly(
                        "runcast.updates.v1 {cleanup.policy=delete, max.message.bytes=4194304, retention.ms=-1, min.insync.replicas=2}",
                        "runcast.heartbeats.v1 {cleanup.policy=delete, max.message.bytes=4194304, retention.ms=3600000, min.insync.replicas=2}",
                        "runcast.changes.v1 {cleanup.policy=delete, max.message.bytes=37748736, retention.ms=604800000, min.insync.replicas=2}",
                        "runcast.executions.v1 {cleanup.policy=compact, max.message.bytes=4194304, segment.bytes=33554432, delete.retention.ms=86400000, min.insync.replicas=2}",
                        "runcast.rejected.v1 {cleanup.policy=delete, max.message.bytes=4194304, retention.ms=2592000000, min.insync.replicas=2}",
                        "runcast.signals.v1 {cleanup.policy=compact, max.message.bytes=4194304, segment.bytes=33554432, delete.retention.ms=86400000, min.insync.replicas=2}");
    }

    @Test
    void layoutOutOfRangeIsRefused() {
        assertThatThrownBy(() -> new TopicLayout(0, 1)).hasMessage("partitions: 0 (expected: 1 to 10000)");
        assertThatThrownBy(() -> new TopicLayout(4, 0)).hasMessage("replicationFactor: 0 (expected: 1 to 32767)");
    }
}
