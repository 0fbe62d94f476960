package dev.runcast.benchmarks;

import dev.runcast.v1.UpdateBatch;
import java.net.InetSocketAddress;
import java.time.Duration;

/** What takes updates from runners and shows them to viewers: ours, and the one that it replaces. */
interface Design {
    /** Reports and does not wait. What is refused fails {@link #check()}. Called by one thread at a time. */
    void report(UpdateBatch batch);

    /** @throws IllegalStateException when something that was reported was refused or lost */
    void check();

    /** Where viewers come by HTTP; both have the same routes. */
    InetSocketAddress viewers();

    /** How much processor time all processes of both designs have used: they share the servers. */
    Duration processorTime();

    /** How long after an update it is certain to be in the store. */
    Duration settling();
}
