package dev.runcast.runner;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** The flushes that somebody waits for. Belongs to the sender's thread. */
final class Flushes {
    private record Flush(Map<Outbox, Long> through, long untilNanos, CompletableFuture<FlushResult> result) {}

    private final List<Flush> waiting = new ArrayList<>();

    /** Waits until what the executions have reported by now is acked, or the time has come. */
    void add(Iterable<Outbox> outboxes, long untilNanos, CompletableFuture<FlushResult> result) {
        Map<Outbox, Long> through = new LinkedHashMap<>();
        for (Outbox outbox : outboxes) {
            outbox.look();
            if (!outbox.isEmpty()) {
                outbox.flushThrough = outbox.queue.lastOrdinal();
                through.put(outbox, outbox.flushThrough);
            }
        }
        waiting.add(new Flush(through, untilNanos, result));
    }

    /** Answers those that are done or out of time; returns when the next one's time is up. */
    long settle(long now) {
        long next = Long.MAX_VALUE;
        for (Iterator<Flush> each = waiting.iterator(); each.hasNext(); ) {
            Flush flush = each.next();
            flush.through.entrySet().removeIf(target -> target.getKey().firstOrdinal() > target.getValue());
            if (flush.through.isEmpty()) {
                each.remove();
                flush.result.complete(FlushResult.COMPLETE);
            } else if (now >= flush.untilNanos) {
                each.remove();
                flush.result.complete(FlushResult.of(
                        flush.through.keySet().stream().map(Outbox::missing).toList()));
            } else {
                next = Math.min(next, flush.untilNanos);
            }
        }
        return next;
    }
}
