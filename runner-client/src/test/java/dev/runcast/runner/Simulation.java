package dev.runcast.runner;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** The whole reporter in simulated time: real queues and sender, a simulated door, and a test that is their thread. */
final class Simulation {
    static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    final SimulatedIngest ingest;
    final Counters counters = new Counters();
    final MemoryBudget budget;
    final List<String> retired = new ArrayList<>();
    private final ReporterConfig config;
    private final MemoryBudget sequenced;
    private final Mailbox mailbox;
    private final Sender sender;
    private final Map<StreamKey, ExecutionReporter> executions = new HashMap<>();
    private final Callbacks callbacks = new Callbacks(Runnable::run, counters);
    private int wakes;
    private long now;

    Simulation(ReporterConfig template, SimulatedIngest ingest, Random random) {
        this(template, ingest, random, ReporterListener.NONE);
    }

    Simulation(ReporterConfig template, SimulatedIngest ingest, Random random, ReporterListener listener) {
        this(template, template.memoryBytes() / 2, ingest, random, listener);
    }

    /** With another bound of what has a sequence and is in memory; begins at the door's time. */
    Simulation(
            ReporterConfig template,
            long sequencedBytes,
            SimulatedIngest ingest,
            Random random,
            ReporterListener listener) {
        this.config = template.withClock(this::instant);
        this.now = ingest.now();
        this.ingest = ingest;
        this.budget = new MemoryBudget(config.memoryBytes());
        this.sequenced = new MemoryBudget(sequencedBytes);
        this.mailbox = new Mailbox(() -> wakes++);
        this.sender = new Sender(
                config,
                ingest,
                mailbox,
                budget,
                sequenced,
                counters,
                listener,
                callbacks,
                key -> retired.add(key.toString()),
                key -> opened(key).outbox(),
                random);
    }

    ExecutionReporter execution(String id, long epoch) {
        ExecutionReporter execution = opened(new StreamKey(id, "", epoch));
        execution.outbox().claimed = true;
        return execution;
    }

    private ExecutionReporter opened(StreamKey stream) {
        return executions.computeIfAbsent(stream, key -> {
            Outbox outbox = new Outbox(key, new SignalLevel(callbacks), budget, sequenced, counters, config.clock());
            Reporting reporting = new Reporting(outbox, mailbox, budget, counters, config.clock(), () -> true);
            return new ExecutionReporter(outbox, mailbox, reporting);
        });
    }

    long now() {
        return now;
    }

    /** How often the sender was woken when it slept. */
    int wakes() {
        return wakes;
    }

    /** Lets so much time pass. */
    void run(Duration time) {
        long until = now + time.toNanos();
        while (true) {
            mailbox.begin();
            long next = Math.min(sender.turn(now), ingest.next());
            if (!mailbox.lieDown(false)) {
                next = now;
            }
            if (next > until) {
                break;
            }
            now = Math.max(now, next);
            ingest.run(now);
        }
        now = until;
        ingest.run(now);
    }

    /** Everything that is left goes into the spool, as at a close. */
    void stop() {
        executions.values().forEach(each -> mailbox.look(each.outbox()));
        sender.stop();
    }

    List<Outbox> outboxes() {
        return executions.values().stream().map(ExecutionReporter::outbox).toList();
    }

    /** What a flush of so much time comes to. */
    FlushResult flush(Duration time) {
        outboxes().forEach(outbox -> outbox.inbox.settleHalves());
        CompletableFuture<FlushResult> result = new CompletableFuture<>();
        long until = now + time.toNanos();
        mailbox.post(() -> sender.flush(outboxes(), until, result));
        while (!result.isDone() && now <= until) {
            run(Duration.ofMillis(10));
        }
        return result.join();
    }

    ReporterStats stats() {
        return counters.stats(sender.connected(), executions.size(), 0, budget.used());
    }

    private Instant instant() {
        return START.plusNanos(now);
    }
}
