package dev.runcast.ingest;

import com.google.protobuf.Timestamp;
import dev.runcast.doors.Principal;
import dev.runcast.merge.Merge;
import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.time.InstantSource;

/** Puts the door's own fields on what came in, over whatever the sender put there. Thread-safe. */
final class Stamp {
    private final InstantSource clock;

    Stamp(InstantSource clock) {
        this.clock = clock;
    }

    UpdateBatch.Builder on(UpdateBatch batch, Principal principal) {
        return batch.toBuilder()
                .setTenant(principal.tenant())
                .setReceivedAt(now())
                .setRules(Merge.NEWEST_RULES)
                .setPrincipal(principal.name());
    }

    Heartbeat on(Heartbeat heartbeat, Principal principal) {
        return heartbeat.toBuilder()
                .setTenant(principal.tenant())
                .setReceivedAt(now())
                .build();
    }

    private Timestamp now() {
        Instant now = clock.instant();
        return Timestamp.newBuilder()
                .setSeconds(now.getEpochSecond())
                .setNanos(now.getNano())
                .build();
    }
}
