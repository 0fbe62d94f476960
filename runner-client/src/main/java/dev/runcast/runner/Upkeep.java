package dev.runcast.runner;

import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.PublishUpdatesRequest;
import java.time.Duration;
import java.util.Collection;
import java.util.Iterator;
import java.util.function.Consumer;

/**
 * What the sender looks at from time to time: heartbeats of silent executions, acks that do not come, executions that
 * are over. Belongs to the sender's thread.
 */
final class Upkeep {
    /** How long an execution that is over stays known to the sender. */
    private static final long RETIRE_NANOS = Duration.ofSeconds(60).toNanos();

    private static final long SHORTEST_NANOS = Duration.ofMillis(20).toNanos();

    private final Link link;
    private final Counters counters;
    private final Consumer<Outbox> retired;
    private final long heartbeatNanos;
    private final long ackTimeoutNanos;
    private long nextNanos;

    Upkeep(ReporterConfig config, Link link, Counters counters, Consumer<Outbox> retired) {
        this.link = link;
        this.counters = counters;
        this.retired = retired;
        this.heartbeatNanos = config.heartbeatInterval().toNanos();
        this.ackTimeoutNanos = config.ackTimeout().toNanos();
    }

    /** Does what is due, and takes executions that are over out of the given ones; returns when to come again. */
    long turn(long now, Collection<Outbox> outboxes) {
        if (now < nextNanos) {
            return nextNanos;
        }
        long next = now + Math.min(heartbeatNanos, ackTimeoutNanos / 2);
        for (Iterator<Outbox> each = outboxes.iterator(); each.hasNext(); ) {
            Outbox outbox = each.next();
            next = Math.min(next, Math.min(ack(outbox, now), heartbeat(outbox, now)));
            long quiet = now - Math.max(outbox.lastFrameNanos, outbox.lastAckNanos);
            if (outbox.over() && quiet >= RETIRE_NANOS) {
                each.remove();
                retired.accept(outbox);
            }
        }
        nextNanos = Math.max(next, now + SHORTEST_NANOS);
        return nextNanos;
    }

    /** Gives the stream up when an ack is overdue; returns when the next one is. */
    private long ack(Outbox outbox, long now) {
        if (link.open() == null || outbox.cursor == outbox.window.first()) {
            return Long.MAX_VALUE;
        }
        long since = Math.max(outbox.lastAckNanos, outbox.window.get(outbox.window.first()).sentNanos);
        if (now - since >= ackTimeoutNanos) {
            link.drop("no ack of " + outbox.key + " within " + ackTimeoutNanos / 1_000_000 + " ms");
        }
        return since + ackTimeoutNanos;
    }

    /** Says that a silent execution lives; returns when it is to be said again. */
    private long heartbeat(Outbox outbox, long now) {
        Transport.Connection connection = link.open();
        if (connection == null || !outbox.alive()) {
            return Long.MAX_VALUE;
        }
        if (now - outbox.lastFrameNanos >= heartbeatNanos && connection.isReady()) {
            outbox.lastFrameNanos = now;
            counters.heartbeats.increment();
            connection.send(PublishUpdatesRequest.newBuilder()
                    .setHeartbeat(Heartbeat.newBuilder()
                            .setExecutionId(outbox.key.executionId())
                            .setWriter(outbox.writer)
                            .setEpoch(outbox.key.epoch()))
                    .build());
        }
        return outbox.lastFrameNanos + heartbeatNanos;
    }
}
