package dev.runcast.runner;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A reporter's numbers in a Micrometer registry. Everything is read when somebody asks, but the time that acks take,
 * which the sender's thread records; the agent's threads have nothing to do with it. Nothing is tagged with executions.
 */
final class ReporterMeters implements AutoCloseable {
    private final MeterRegistry registry;
    private final List<Meter> meters = new ArrayList<>();

    ReporterMeters(MeterRegistry registry, Counters counters, Supplier<ReporterStats> stats) {
        this.registry = registry;
        count("updates.reported", counters.reported, "Updates that agents reported");
        count("updates.coalesced", counters.coalesced, "Appends that joined one before");
        count("updates.sent", counters.sent, "Updates put on a stream, again ones included");
        count("updates.resent", counters.resent, "Updates put on a stream again");
        count("updates.acked", counters.acked, "Updates that are durable");
        count("updates.failed", counters.substituted, "Updates refused for good, for which something else was sent");
        count("updates.omitted", counters.omitted, "Updates left out and said to be");
        count("updates.discarded", counters.discarded, "Updates of attempts that no longer count");
        count("updates.spooled", counters.spooled, "Updates written to the spool, again ones included");
        count("updates.recovered", counters.recovered, "Updates that an earlier process left in the spool");
        count("refusals", counters.refused, "Refusals received");
        count("spool.failures", counters.spoolFailures, "Times the spool could not be opened or written");
        count("disconnects", counters.disconnects, "Streams and attempts that ended without being asked to");
        gauge("unacked.updates", "updates", "Reported updates that are not acked", () -> stats.get()
                .waitingUpdates());
        gauge("unacked.bytes", "bytes", "What they take of the memory bound", () -> stats.get()
                .waitingBytes());
        gauge("spool.bytes", "bytes", "What the spool's files take", counters.spoolBytes::get);
        gauge("connected", null, "1 while a stream is open", () -> stats.get().connected() ? 1 : 0);
        for (BreakerState state : BreakerState.values()) {
            meters.add(Gauge.builder("runcast.reporter.breaker.state", () -> counters.breaker == state ? 1 : 0)
                    .tag("state", state.name().toLowerCase(Locale.ROOT))
                    .description("1 for the state that the breaker around opening streams is in")
                    .register(registry));
        }
        Timer acks = Timer.builder("runcast.reporter.ack.latency")
                .description("From putting an update on the stream to its ack")
                .register(registry);
        meters.add(acks);
        counters.ackLatency = nanos -> acks.record(nanos, TimeUnit.NANOSECONDS);
    }

    /** Takes the meters out, so that another reporter's can have their names. */
    @Override
    public void close() {
        meters.forEach(registry::remove);
    }

    private void count(String name, LongAdder counter, String description) {
        meters.add(FunctionCounter.builder("runcast.reporter." + name, counter, LongAdder::sum)
                .description(description)
                .register(registry));
    }

    private void gauge(String name, @Nullable String unit, String description, Supplier<Number> value) {
        meters.add(Gauge.builder("runcast.reporter." + name, value)
                .baseUnit(unit)
                .description(description)
                .register(registry));
    }
}
