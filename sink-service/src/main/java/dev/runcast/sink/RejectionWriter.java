package dev.runcast.sink;

import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.topics.Topic;
import dev.runcast.v1.RejectedUpdate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Writes the rejections that are still kept, whether or not they are stored. Thread-safe. */
final class RejectionWriter implements Consumer<RejectedUpdate> {
    private static final int AT_ONCE = 500;

    private final ExecutionStore store;
    private final Instant oldest;
    private List<RejectedUpdate> waiting = new ArrayList<>();

    RejectionWriter(ExecutionStore store, InstantSource clock) {
        this.store = store;
        this.oldest = clock.instant().minus(Topic.REJECTED.retention());
    }

    @Override
    public void accept(RejectedUpdate rejected) {
        if (rejected.getReceivedAt().getSeconds() <= oldest.getEpochSecond()) {
            return;
        }
        List<RejectedUpdate> full = List.of();
        synchronized (this) {
            waiting.add(rejected);
            if (waiting.size() >= AT_ONCE) {
                full = waiting;
                waiting = new ArrayList<>();
            }
        }
        write(full);
    }

    /** Writes what has not been written yet. */
    void flush() {
        List<RejectedUpdate> rest;
        synchronized (this) {
            rest = waiting;
            waiting = new ArrayList<>();
        }
        write(rest);
    }

    private void write(List<RejectedUpdate> rejected) {
        if (!rejected.isEmpty()) {
            store.write(StoreWrite.ofRejected(rejected)).block();
        }
    }
}
