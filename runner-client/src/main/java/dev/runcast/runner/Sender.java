package dev.runcast.runner;

import dev.runcast.v1.Attach;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what goes on the stream and when. Belongs to one thread, which calls {@link #turn} whenever the mailbox has
 * something or the time that the last turn named has come; the time is a parameter, so a test can be that thread.
 *
 * <p>Executions with something to send stand in a line and get one batch each in turn, as long as the stream is ready.
 * What is sequenced and not acked takes at most half of the memory bound: the other half stays without a sequence, where
 * it can still be merged and, in the end, left out.
 */
final class Sender implements Link.Owner {
    private static final Logger logger = LoggerFactory.getLogger(Sender.class);

    /** Batches after which the mailbox is looked at again. */
    private static final int BATCHES_A_TURN = 64;

    private record Timer(long atNanos, Outbox outbox) {}

    private final Map<StreamKey, Outbox> outboxes = new HashMap<>();
    private final ArrayDeque<Outbox> line = new ArrayDeque<>();
    private final ArrayDeque<Outbox> starved = new ArrayDeque<>();
    private final PriorityQueue<Timer> timers = new PriorityQueue<>(Comparator.comparingLong(Timer::atNanos));
    private final Flushes flushes = new Flushes();

    private final Mailbox mailbox;
    private final MemoryBudget budget;
    private final MemoryBudget sequenced;
    private final MemoryRelief relief;
    private final Cadence cadence;
    private final Link link;
    private final Replies replies;
    private final Upkeep upkeep;

    private long now;
    private boolean blocked;

    /**
     * The time begins at 0.
     *
     * @param sequenced the part of the budget that what has a sequence may take
     * @param retired told of executions that are over; a later report makes them known again
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
            RandomGenerator random) {
        this.mailbox = mailbox;
        this.budget = budget;
        this.sequenced = sequenced;
        this.relief = new MemoryRelief(budget, counters);
        this.cadence = new Cadence(config.minCadence(), config.maxCadence());
        this.link = new Link(transport, mailbox, this, listener, callbacks, counters, config, random);
        this.replies = new Replies(this, cadence, counters, config, random);
        this.upkeep = new Upkeep(config, link, counters, retired);
    }

    /** Does all that can be done at this time; returns the time at which there is something to do again. */
    long turn(long time) {
        now = time;
        link.time(time);
        look();
        for (Runnable task = mailbox.nextTask(); task != null; task = mailbox.nextTask()) {
            task.run();
        }
        long next = link.turn();
        ring();
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

    /** Answers when everything reported by now is acked or that time has come. */
    void flush(long untilNanos, CompletableFuture<FlushResult> result) {
        look();
        flushes.add(outboxes.values(), untilNanos, result);
        outboxes.values().forEach(this::lineUp);
    }

    /** Ends the stream in order; who still waits for a flush is told what is missing. */
    void stop() {
        link.stop();
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
        blocked = false;
        for (Outbox outbox : outboxes.values()) {
            outbox.attachWanted = true;
            lineUp(outbox);
        }
    }

    @Override
    public void ready() {
        blocked = false;
    }

    @Override
    public void frame(PublishUpdatesResponse frame) {
        replies.take(frame, now);
    }

    @Override
    public void lost() {
        line.clear();
        starved.clear();
        for (Outbox outbox : outboxes.values()) {
            outbox.lined = false;
            outbox.starved = false;
            outbox.rewind(0);
            outbox.rewoundTo = 0;
            outbox.echoed = false;
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
        if (!outbox.lined && link.open() != null) {
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

    /** There is room again for what has no sequence. */
    void feed() {
        if (sequenced.used() < sequenced.bound()) {
            for (Outbox outbox = starved.poll(); outbox != null; outbox = starved.poll()) {
                outbox.starved = false;
                lineUp(outbox);
            }
        }
    }

    private void look() {
        for (Outbox outbox = mailbox.nextDirty(); outbox != null; outbox = mailbox.nextDirty()) {
            if (outboxes.putIfAbsent(outbox.key, outbox) == null) {
                outbox.attachWanted = true;
                outbox.lastFrameNanos = now;
            }
            lineUp(outbox);
        }
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
        Iterator<Outbox> largestFirst = outboxes.values().stream()
                .sorted(Comparator.comparingLong((Outbox outbox) -> outbox.queue.bytes())
                        .reversed())
                .iterator();
        while (budget.excess() > 0 && largestFirst.hasNext()) {
            relief.relieve(largestFirst.next().queue, budget.excess());
        }
    }

    /** Sends while the stream is ready. Returns whether there is more that can go at once. */
    private boolean send() {
        Transport.Connection connection = link.open();
        for (int batches = 0; connection != null && !line.isEmpty(); batches++) {
            if (!connection.isReady()) {
                if (!blocked) {
                    blocked = true;
                    cadence.slower();
                }
                return false;
            }
            if (batches == BATCHES_A_TURN) {
                return true;
            }
            Outbox outbox = line.remove();
            outbox.lined = false;
            if (!outbox.discarded) {
                serve(outbox, connection);
            }
        }
        return false;
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
        if (now < outbox.retryNanos) {
            lineUpAt(outbox, outbox.retryNanos);
            return;
        }
        replies.checkEcho(outbox, now);
        if (outbox.cursor == outbox.window.next()) {
            fill(outbox);
        }
        if (outbox.cursor < outbox.window.next()) {
            connection.send(outbox.nextBatch(now));
            lineUp(outbox);
        } else if (!outbox.queue.isEmpty() && !outbox.starved) {
            lineUpAt(outbox, outbox.nextTextNanos);
        }
    }

    /** Gives a sequence to what may go now, as much as one batch takes. */
    private void fill(Outbox outbox) {
        boolean textDue = now >= outbox.nextTextNanos;
        boolean text = false;
        long bytes = 0;
        while (outbox.window.next() - outbox.cursor < Limits.BATCH_UPDATES && bytes < Limits.BATCH) {
            if (sequenced.used() >= sequenced.bound()) {
                if (!outbox.starved) {
                    outbox.starved = true;
                    starved.add(outbox);
                }
                return;
            }
            Pending item = outbox.queue.poll(textDue, outbox.flushThrough);
            if (item == null) {
                if (text) {
                    outbox.nextTextNanos = now + Math.max(cadence.interval(), outbox.slowDownNanos());
                }
                return;
            }
            text |= !item.urgent();
            outbox.sequence(item);
            bytes += outbox.window.get(outbox.window.next() - 1).size;
        }
    }
}
