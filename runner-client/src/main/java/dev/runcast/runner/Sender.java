package dev.runcast.runner;

import dev.runcast.v1.Attach;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what goes on the stream and when. Belongs to one thread, which calls {@link #turn} whenever the mailbox has
 * something or the time that the last turn named has come; the time is a parameter, so a test can be that thread.
 *
 * <p>Executions with something to send stand in a line and get one batch each in turn, as long as the stream is ready.
 */
final class Sender implements Link.Owner {
    private static final Logger logger = LoggerFactory.getLogger(Sender.class);

    /** How long, from the begin of a stream, what the spool has of an older attempt goes before a newer one. */
    private static final long HANDOVER_NANOS = Duration.ofSeconds(10).toNanos();

    private static final long HANDOVER_LOOK_NANOS = Duration.ofMillis(20).toNanos();

    /** Batches after which the mailbox is looked at again. */
    private static final int BATCHES_A_TURN = 64;

    private record Timer(long atNanos, Outbox outbox) {}

    private final Map<StreamKey, Outbox> outboxes = new HashMap<>();
    private final ArrayDeque<Outbox> line = new ArrayDeque<>();
    /** What was written and waits for the stream to take frames again. */
    private final ArrayDeque<Outbox> parked = new ArrayDeque<>();

    private final PriorityQueue<Timer> timers = new PriorityQueue<>(Comparator.comparingLong(Timer::atNanos));
    private final Flushes flushes = new Flushes();

    private final Mailbox mailbox;
    private final MemoryBudget budget;
    private final MemoryRelief relief;
    private final Cadence cadence;
    private final Link link;
    private final Replies replies;
    private final Upkeep upkeep;
    private final Spooler spooler;
    private final Intake intake;
    private final long offlineTextNanos;

    private long now;
    private boolean blocked;

    /**
     * The time begins at 0.
     *
     * @param sequenced the part of the budget that what has a sequence may take
     * @param retired told of executions that are over; a later report makes them known again
     * @param opener the outbox of a writer whose updates the spool has, made when there is none
     */
    Sender(
            ReporterConfig config,
            Transport transport,
            Mailbox mailbox,
            MemoryBudget budget,
            MemoryBudget sequenced,
            Counters counters,
            ReporterListener listener,
            Callbacks callbacks,
            Consumer<StreamKey> retired,
            Function<StreamKey, Outbox> opener,
            RandomGenerator random) {
        this.mailbox = mailbox;
        this.budget = budget;
        this.relief = new MemoryRelief(budget, counters);
        this.cadence = new Cadence(config.minCadence(), config.maxCadence());
        this.link = new Link(transport, mailbox, this, listener, callbacks, counters, config, random);
        this.replies = new Replies(this, cadence, counters, listener, callbacks, config, random);
        this.spooler = new Spooler(config, outboxes, budget, sequenced, counters, listener, callbacks, opener);
        this.intake = new Intake(budget, sequenced, cadence, spooler);
        this.offlineTextNanos = config.maxCadence().toNanos();
        this.upkeep = new Upkeep(config, link, counters, outbox -> {
            spooler.retired(outbox);
            retired.accept(outbox.key);
        });
    }

    /** Does all that can be done at this time; returns the time at which there is something to do again. */
    long turn(long time) {
        now = time;
        link.time(time);
        // Before anybody asks what is missing: the spool may have something of an earlier process.
        long next = spooler.turn(now);
        look();
        for (Runnable task = mailbox.nextTask(); task != null; task = mailbox.nextTask()) {
            task.run();
        }
        next = Math.min(next, link.turn());
        ring();
        feed();
        if (budget.pressed()) {
            relieve();
        }
        if (send()) {
            next = now;
        }
        next = Math.min(next, Math.min(upkeep.turn(now, outboxes.values()), flushes.settle(now)));
        Timer timer = timers.peek();
        return timer == null ? next : Math.min(next, timer.atNanos);
    }

    /** Answers when everything reported by now in any of the given ones is acked or that time has come. */
    void flush(Collection<Outbox> all, long untilNanos, CompletableFuture<FlushResult> result) {
        look();
        // A thread may have lost its core before it could tell of what another has put in beside it.
        all.stream().filter(outbox -> !outbox.inbox.isEmpty()).forEach(this::adopt);
        flushes.add(outboxes.values(), untilNanos, result);
        outboxes.values().forEach(this::lineUp);
    }

    /** Ends the stream in order and writes what is left; who still waits for a flush is told what is missing. */
    void stop() {
        look();
        link.stop();
        spooler.close(outboxes.values(), now, outbox -> intake.drain(outbox, now));
        flushes.settle(Long.MAX_VALUE);
    }

    /** Something broke that should not have: begin again with a new stream. */
    void recover(Throwable thrown) {
        logger.error("The sender failed; it goes on with a new stream", thrown);
        link.drop("the sender failed: " + thrown);
    }

    /** Whether a stream is open; for any thread. */
    boolean connected() {
        return link.isOpen();
    }

    @Override
    public void opened(Transport.Connection connection) {
        ready();
        for (Outbox outbox : outboxes.values()) {
            outbox.attachWanted = true;
            outbox.goesFirstUntil = now + HANDOVER_NANOS;
            lineUp(outbox);
        }
    }

    @Override
    public void ready() {
        blocked = false;
        for (Outbox outbox = parked.poll(); outbox != null; outbox = parked.poll()) {
            outbox.parked = false;
            lineUp(outbox);
        }
    }

    @Override
    public void frame(PublishUpdatesResponse frame) {
        replies.take(frame, now);
    }

    @Override
    public void lost() {
        line.clear();
        intake.clear();
        for (Outbox outbox : outboxes.values()) {
            outbox.lined = false;
            outbox.rewind(0);
            outbox.rewoundTo = 0;
            outbox.echoed = false;
            lineUp(outbox);
        }
    }

    @Nullable
    Outbox outbox(StreamKey key) {
        return outboxes.get(key);
    }

    Collection<Outbox> outboxes() {
        return outboxes.values();
    }

    /** Has a turn of it soon. */
    void lineUp(Outbox outbox) {
        if (!outbox.lined && (link.open() != null || spooler.on())) {
            outbox.lined = true;
            line.add(outbox);
        }
    }

    /** Has a turn of it at that time, if none is set before. */
    void lineUpAt(Outbox outbox, long atNanos) {
        if (atNanos < outbox.timerNanos) {
            outbox.timerNanos = atNanos;
            timers.add(new Timer(atNanos, outbox));
        }
    }

    /** There may be room again for who waits for some. */
    void feed() {
        for (Outbox outbox = intake.fed(); outbox != null; outbox = intake.fed()) {
            lineUp(outbox);
        }
    }

    private void look() {
        for (Outbox outbox = mailbox.nextDirty(); outbox != null; outbox = mailbox.nextDirty()) {
            adopt(outbox);
        }
    }

    private void adopt(Outbox outbox) {
        if (outboxes.putIfAbsent(outbox.key, outbox) == null) {
            outbox.attachWanted = true;
            outbox.lastFrameNanos = now;
            spooler.adopt(outbox);
        }
        outbox.look();
        lineUp(outbox);
    }

    private void ring() {
        for (Timer timer = timers.peek(); timer != null && timer.atNanos <= now; timer = timers.peek()) {
            timers.poll();
            if (timer.outbox.timerNanos == timer.atNanos) {
                timer.outbox.timerNanos = Long.MAX_VALUE;
                lineUp(timer.outbox);
            }
        }
    }

    /** Takes from the largest queue first, so that one execution's flood is not another's loss. */
    private void relieve() {
        for (Outbox outbox : outboxes.values()) {
            outbox.look();
            lineUp(outbox);
        }
        if (!budget.pressed()) {
            // Joined it takes less.
            return;
        }
        Iterator<Outbox> largestFirst = outboxes.values().stream()
                .sorted(Comparator.comparingLong((Outbox outbox) -> outbox.queue.bytes())
                        .reversed())
                .iterator();
        while (budget.excess() > 0 && largestFirst.hasNext()) {
            relief.relieve(largestFirst.next().queue, budget.excess());
        }
    }

    /** Sends while the stream is ready, or else only writes. Returns whether there is more that can be done at once. */
    private boolean send() {
        Transport.Connection connection = link.open();
        for (int batches = 0; !line.isEmpty(); batches++) {
            boolean ready = connection != null && connection.isReady();
            if (connection != null && !ready && !blocked) {
                blocked = true;
                cadence.slower();
            }
            if (!ready && !spooler.on()) {
                return false;
            }
            if (batches == BATCHES_A_TURN) {
                return true;
            }
            Outbox outbox = line.remove();
            outbox.lined = false;
            if (outbox.discarded) {
                continue;
            }
            if (connection != null && ready) {
                serve(outbox, connection);
            } else {
                park(outbox);
            }
        }
        return false;
    }

    /** Writes what an outbox has while the stream takes nothing. */
    private void park(Outbox outbox) {
        intake.fill(outbox, now, offlineTextNanos);
        if (!outbox.parked) {
            outbox.parked = true;
            parked.add(outbox);
        }
        awaitText(outbox);
    }

    private void serve(Outbox outbox, Transport.Connection connection) {
        if (outbox.attachWanted) {
            outbox.attachWanted = false;
            outbox.lastFrameNanos = now;
            connection.send(PublishUpdatesRequest.newBuilder()
                    .setAttach(Attach.newBuilder()
                            .setExecutionId(outbox.key.executionId())
                            .setWriter(outbox.writer)
                            .setEpoch(outbox.key.epoch()))
                    .build());
        }
        if (spooler.on()) {
            intake.fill(outbox, now, 0);
        }
        if (now < outbox.retryNanos) {
            lineUpAt(outbox, outbox.retryNanos);
            return;
        }
        if (comesAfterAnother(outbox)) {
            lineUpAt(outbox, now + HANDOVER_LOOK_NANOS);
            return;
        }
        replies.checkEcho(outbox, now);
        if (!spooler.on() && outbox.cursor == outbox.window.next()) {
            intake.fill(outbox, now, 0);
        }
        if (outbox.cursor == outbox.window.loaded() && outbox.window.hasTail()) {
            intake.load(outbox);
        }
        if (outbox.cursor < outbox.window.loaded()) {
            connection.send(outbox.nextBatch(now));
            lineUp(outbox);
        } else {
            awaitText(outbox);
        }
    }

    private void awaitText(Outbox outbox) {
        if (!outbox.queue.isEmpty() && !outbox.starved) {
            lineUpAt(outbox, outbox.nextTextNanos);
        }
    }

    /**
     * What an earlier process left of an older attempt goes first: once the newer one is adopted it would be refused. But
     * not for ever, should it be stuck.
     */
    private boolean comesAfterAnother(Outbox outbox) {
        if (spooler.orphans().isEmpty() || now >= outbox.goesFirstUntil) {
            return false;
        }
        return spooler.orphans().stream()
                .anyMatch(older -> older.orphaned()
                        && older.key.epoch() < outbox.key.epoch()
                        && older.key.executionId().equals(outbox.key.executionId())
                        && !older.isEmpty());
    }
}
