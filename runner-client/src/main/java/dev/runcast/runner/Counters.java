package dev.runcast.runner;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;

/** What the reporter counts; every field only grows. Thread-safe. */
final class Counters {
    final LongAdder reported = new LongAdder();
    final LongAdder coalesced = new LongAdder();
    final LongAdder omitted = new LongAdder();
    final LongAdder discarded = new LongAdder();
    final LongAdder ignored = new LongAdder();
    final LongAdder failedCalls = new LongAdder();
    final LongAdder truncated = new LongAdder();
    final LongAdder replacedSurrogates = new LongAdder();
    final LongAdder sequenced = new LongAdder();
    final LongAdder sent = new LongAdder();
    final LongAdder resent = new LongAdder();
    final LongAdder acked = new LongAdder();
    final LongAdder refused = new LongAdder();
    final LongAdder substituted = new LongAdder();
    final LongAdder rewinds = new LongAdder();
    final LongAdder batches = new LongAdder();
    final LongAdder heartbeats = new LongAdder();
    final LongAdder connectAttempts = new LongAdder();
    final LongAdder connections = new LongAdder();
    final LongAdder disconnects = new LongAdder();
    final LongAdder callbackFailures = new LongAdder();
    final LongAdder spooled = new LongAdder();
    final LongAdder recovered = new LongAdder();
    final LongAdder spoolDamage = new LongAdder();
    final LongAdder spoolFailures = new LongAdder();
    /** What the spool's files take now. */
    final AtomicLong spoolBytes = new AtomicLong();

    final LongAdder postponed = new LongAdder();
    /** Told by the sender's thread how long each ack took, in nanoseconds. */
    volatile LongConsumer ackLatency = nanos -> {};
    /** Written by the sender's thread. */
    volatile BreakerState breaker = BreakerState.CLOSED;
    /** Written by the sender's thread. */
    volatile SpoolState spoolState = SpoolState.OFF;

    /** What has been counted, with what is so now. */
    ReporterStats stats(boolean connected, int executions, long waitingUpdates, long waitingBytes) {
        return new ReporterStats(
                reported.sum(),
                coalesced.sum(),
                omitted.sum(),
                discarded.sum(),
                ignored.sum(),
                failedCalls.sum(),
                truncated.sum(),
                replacedSurrogates.sum(),
                sequenced.sum(),
                sent.sum(),
                resent.sum(),
                batches.sum(),
                acked.sum(),
                refused.sum(),
                substituted.sum(),
                rewinds.sum(),
                heartbeats.sum(),
                connectAttempts.sum(),
                connections.sum(),
                disconnects.sum(),
                callbackFailures.sum(),
                spooled.sum(),
                recovered.sum(),
                spoolDamage.sum(),
                spoolFailures.sum(),
                postponed.sum(),
                connected,
                executions,
                waitingUpdates,
                waitingBytes,
                breaker,
                spoolState,
                spoolBytes.get());
    }
}
