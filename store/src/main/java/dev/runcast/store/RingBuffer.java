package dev.runcast.store;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Operators;

/**
 * Rings on their way to one listener. Offering never blocks and never grows the buffer beyond its capacity, in number
 * and in bytes: what no longer fits replaces everything that waits by one {@link Ring.Fetch}, or by a {@link
 * Ring.Subscribed} where one was waiting, since that says still more.
 */
public final class RingBuffer {
    /** How many rings wait for a listener by default. */
    public static final int DEFAULT_CAPACITY = 256;

    private static final long MAX_BYTES = 1024 * 1024;

    private final int capacity;
    private final Deque<Ring> waiting = new ArrayDeque<>();
    private long waitingBytes;
    private long requested;
    private boolean draining;
    private boolean cancelled;
    private @Nullable CoreSubscriber<? super Ring> listener;

    /** @param capacity how many rings may wait, 1 or greater */
    public RingBuffer(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity: %d (expected: 1 or greater)".formatted(capacity));
        }
        this.capacity = capacity;
    }

    /** The rings, for one listener. */
    public Flux<Ring> rings() {
        return Flux.from(subscriber -> {
            CoreSubscriber<? super Ring> core = Operators.toCoreSubscriber(subscriber);
            core.onSubscribe(new Demand());
            synchronized (this) {
                listener = core;
            }
            drain();
        });
    }

    /** Passes a ring on, now or when the listener asks. */
    public void offer(Ring ring) {
        synchronized (this) {
            if (cancelled) {
                return;
            }
            if (waiting.size() >= capacity || waitingBytes + bytes(ring) > MAX_BYTES) {
                overflow(ring);
            } else {
                add(ring);
            }
        }
        drain();
    }

    private void overflow(Ring newest) {
        boolean subscribed = newest instanceof Ring.Subscribed;
        long version = version(newest);
        for (Ring ring : waiting) {
            subscribed |= ring instanceof Ring.Subscribed;
            version = Math.max(version, version(ring));
        }
        waiting.clear();
        waitingBytes = 0;
        add(subscribed ? new Ring.Subscribed() : new Ring.Fetch(version));
    }

    private void add(Ring ring) {
        waiting.add(ring);
        waitingBytes += bytes(ring);
    }

    /** One thread at a time gives to the listener, outside the lock; others leave their ring to it. */
    private void drain() {
        while (true) {
            Ring next;
            CoreSubscriber<? super Ring> to;
            synchronized (this) {
                to = listener;
                if (draining || cancelled || to == null || requested == 0 || waiting.isEmpty()) {
                    return;
                }
                next = waiting.remove();
                waitingBytes -= bytes(next);
                if (requested != Long.MAX_VALUE) {
                    requested--;
                }
                draining = true;
            }
            try {
                to.onNext(next);
            } finally {
                synchronized (this) {
                    draining = false;
                }
            }
        }
    }

    private static long bytes(Ring ring) {
        if (ring instanceof Ring.Changes changes) {
            return changes.batch().getSerializedSize();
        }
        return ring instanceof Ring.Row row ? row.execution().getSerializedSize() : 0;
    }

    private static long version(Ring ring) {
        if (ring instanceof Ring.Changes changes) {
            List<dev.runcast.v1.Change> all = changes.batch().getChangesList();
            return all.isEmpty() ? 0 : all.get(all.size() - 1).getVersion();
        }
        return ring instanceof Ring.Fetch fetch ? fetch.version() : 0;
    }

    private final class Demand implements Subscription {
        @Override
        public void request(long count) {
            synchronized (RingBuffer.this) {
                requested = Operators.addCap(requested, count);
            }
            drain();
        }

        @Override
        public void cancel() {
            synchronized (RingBuffer.this) {
                cancelled = true;
                waiting.clear();
            }
        }
    }
}
