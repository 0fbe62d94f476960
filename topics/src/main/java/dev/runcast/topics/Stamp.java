package dev.runcast.topics;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.Merge;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.time.InstantSource;

/**
 * What every door puts on what it appends, over whatever the sender put there: whose it is, who says so, when it came,
 * and the number of the merge's rules. So the merge needs no clock and no credentials. Thread-safe.
 */
public final class Stamp {
    private final InstantSource clock;

    /** Takes the time from {@code clock}. */
    public Stamp(InstantSource clock) {
        this.clock = clock;
    }

    /**
     * A batch of an authenticated caller.
     *
     * @param tenant from the caller's credentials
     * @param principal the caller's name
     */
    public UpdateBatch.Builder on(UpdateBatch batch, String tenant, String principal) {
        return batch.toBuilder()
                .setTenant(tenant)
                .setReceivedAt(now())
                .setRules(Merge.NEWEST_RULES)
                .setPrincipal(principal);
    }

    /** A sign of life of a runner of this tenant. */
    public Heartbeat on(Heartbeat heartbeat, String tenant) {
        return heartbeat.toBuilder().setTenant(tenant).setReceivedAt(now()).build();
    }

    private Timestamp now() {
        Instant now = clock.instant();
        return Timestamp.newBuilder()
                .setSeconds(now.getEpochSecond())
                .setNanos(now.getNano())
                .build();
    }
}
