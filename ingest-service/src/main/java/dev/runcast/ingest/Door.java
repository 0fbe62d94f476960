package dev.runcast.ingest;

import dev.runcast.topics.Stamp;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executor;

/**
 * What all streams of this door share.
 *
 * @param log where updates go
 * @param board what runners are told
 * @param check what is held against the contract
 * @param stamp what the door adds
 * @param inFlight how much is on its way
 * @param pressure how far apart appends should be now
 * @param metrics what is counted
 * @param settings the door's
 * @param executor runs what must not hold up gRPC's or Kafka's threads
 * @param clock the wall clock
 */
record Door(
        UpdateLog log,
        SignalBoard board,
        BatchCheck check,
        Stamp stamp,
        InFlight inFlight,
        Pressure pressure,
        IngestMetrics metrics,
        IngestSettings settings,
        Executor executor,
        InstantSource clock) {
    /** What a frame costs beside its bytes: objects, a record's headers, a place in the producer's queue. */
    static final int FRAME_OVERHEAD = 512;

    /** How often a runner that goes on behind a refusal is told again. */
    static final Duration REMIND_EVERY = Duration.ofSeconds(1);
}
