package dev.runcast.topics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.merge.Merge;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;

class StampTest {
    private static final Instant NOW = Instant.parse("2026-05-08T12:00:00.000000001Z");
    private final Stamp stamp = new Stamp(InstantSource.fixed(NOW));

    @Test
    void whatTheSenderSaidOfItselfIsOverwritten() {
        UpdateBatch forged = UpdateBatch.newBuilder()
                .setTenant("another")
                .setPrincipal("somebody")
                .setRules(99)
                .setExecutionId("e")
                .build();
        UpdateBatch stamped = stamp.on(forged, "acme", "dana").build();
        assertThat(stamped.getTenant()).isEqualTo("acme");
        assertThat(stamped.getPrincipal()).isEqualTo("dana");
        assertThat(stamped.getRules()).isEqualTo(Merge.NEWEST_RULES);
        assertThat(stamped.getReceivedAt().getSeconds()).isEqualTo(NOW.getEpochSecond());
        assertThat(stamped.getReceivedAt().getNanos()).isEqualTo(1);
        assertThat(stamped.getExecutionId()).isEqualTo("e");
    }

    @Test
    void heartbeatIsOfTheCallersTenant() {
        Heartbeat stamped = stamp.on(Heartbeat.newBuilder().setTenant("another").build(), "acme");
        assertThat(stamped.getTenant()).isEqualTo("acme");
        assertThat(stamped.getReceivedAt().getSeconds()).isEqualTo(NOW.getEpochSecond());
    }
}
