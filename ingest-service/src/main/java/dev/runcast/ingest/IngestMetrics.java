package dev.runcast.ingest;

import dev.runcast.v1.RejectionReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** What the door counts: everything that was taken, acked, refused or put off. Thread-safe. */
final class IngestMetrics {
    private final MeterRegistry registry;
    private final Counter accepted;
    private final Counter batches;
    private final Counter acked;
    private final Counter behind;
    private final Counter heartbeats;
    private final Counter heartbeatsFailed;
    private final Map<RejectionReason, Counter> refused = new EnumMap<>(RejectionReason.class);

    IngestMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.accepted = counter("runcast.ingest.updates.accepted", "Updates handed to the log");
        this.batches = counter("runcast.ingest.batches.accepted", "Batches handed to the log");
        this.acked = counter("runcast.ingest.updates.durable", "Updates that became durable");
        this.behind =
                counter("runcast.ingest.updates.behind", "Updates not taken because an earlier one had been refused");
        this.heartbeats = counter("runcast.ingest.heartbeats", "Heartbeats that became durable");
        this.heartbeatsFailed = counter("runcast.ingest.heartbeats.failed", "Heartbeats that did not become durable");
        for (RejectionReason reason : RejectionReason.values()) {
            if (reason != RejectionReason.UNRECOGNIZED && reason != RejectionReason.REJECTION_REASON_UNSPECIFIED) {
                refused.put(
                        reason,
                        Counter.builder("runcast.ingest.refusals")
                                .description("Refusals, by reason")
                                .tag("reason", word(reason))
                                .register(registry));
            }
        }
    }

    void gauge(String name, String description, Supplier<Number> value) {
        io.micrometer.core.instrument.Gauge.builder(name, value)
                .description(description)
                .register(registry);
    }

    void accepted(int updates) {
        accepted.increment(updates);
        batches.increment();
    }

    void durable(int updates) {
        acked.increment(updates);
    }

    void behind(int updates) {
        behind.increment(updates);
    }

    void refused(RejectionReason reason) {
        Counter counter = refused.get(reason);
        if (counter != null) {
            counter.increment();
        }
    }

    void heartbeat() {
        heartbeats.increment();
    }

    void heartbeatFailed() {
        heartbeatsFailed.increment();
    }

    private Counter counter(String name, String description) {
        return Counter.builder(name).description(description).register(registry);
    }

    private static String word(RejectionReason reason) {
        return reason.name().substring("REJECTION_REASON_".length()).toLowerCase(Locale.ROOT);
    }
}
