package dev.runcast.ingest;

import dev.runcast.v1.Heartbeat;
import dev.runcast.v1.UpdateBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A log in memory, where a test says what lands, in which order and when. Thread-safe. */
final class MemoryLog implements UpdateLog {
    private final List<UpdateBatch> appended = new ArrayList<>();
    private final List<UpdateBatch> logged = new ArrayList<>();
    private final List<Heartbeat> heartbeats = new ArrayList<>();
    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private boolean held;

    private record Pending(UpdateBatch batch, Landing landing) {}

    @Override
    public void append(UpdateBatch batch, Landing landing) {
        synchronized (this) {
            appended.add(batch);
            if (held) {
                pending.add(new Pending(batch, landing));
                return;
            }
            logged.add(batch);
        }
        landing.landed();
    }

    @Override
    public void heartbeat(Heartbeat heartbeat, Landing landing) {
        synchronized (this) {
            heartbeats.add(heartbeat);
        }
        landing.landed();
    }

    /** From now on nothing lands until the test says so. */
    synchronized void hold() {
        held = true;
    }

    /** The oldest that is held lands. */
    void land() {
        Pending next = poll();
        synchronized (this) {
            logged.add(next.batch());
        }
        next.landing().landed();
    }

    /** The oldest that is held fails. */
    void fail() {
        poll().landing().failed(new IllegalStateException("the log failed, as the test wanted"));
    }

    /** All that is held lands, and so does all that comes. */
    void release() {
        synchronized (this) {
            held = false;
        }
        while (waiting() > 0) {
            land();
        }
    }

    private synchronized Pending poll() {
        return pending.remove();
    }

    synchronized int waiting() {
        return pending.size();
    }

    synchronized List<UpdateBatch> appended() {
        return List.copyOf(appended);
    }

    synchronized List<UpdateBatch> logged() {
        return List.copyOf(logged);
    }

    synchronized List<Heartbeat> heartbeats() {
        return List.copyOf(heartbeats);
    }

    @Override
    public void close() {}
}
