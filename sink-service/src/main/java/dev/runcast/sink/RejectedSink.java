package dev.runcast.sink;

import dev.runcast.store.DeadLetter;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.UnstorableException;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.RejectedUpdate;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.kafka.listener.BatchConsumerAwareMessageListener;

/**
 * Writes rejected updates into the store, where they are listed for 30 days. Each has an id of its own, its place in the
 * log, so that nothing has to be remembered. What names no execution becomes a dead letter.
 */
final class RejectedSink implements BatchConsumerAwareMessageListener<byte[], byte[]> {
    private final ExecutionStore store;
    private final FeedProgress progress;
    private final DeadLetters deadLetters;
    private volatile boolean prepared;

    RejectedSink(ExecutionStore store, FeedProgress progress, InstantSource clock) {
        this.store = store;
        this.progress = progress;
        this.deadLetters = new DeadLetters(progress, clock);
    }

    @Override
    public void onMessage(List<ConsumerRecord<byte[], byte[]>> records, @Nullable Consumer<?, ?> consumer) {
        try {
            write(records);
            progress.succeeded(records, consumer);
        } catch (RuntimeException e) {
            progress.failed(e);
            throw e;
        }
    }

    private void write(List<ConsumerRecord<byte[], byte[]>> records) {
        if (!prepared) {
            store.prepare().block();
            prepared = true;
        }
        List<RejectedUpdate> rejected = new ArrayList<>();
        List<DeadLetter> letters = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Decoded<RejectedUpdate> decoded = RecordCodec.REJECTED.decode(record.key(), record.value());
            if (decoded instanceof Decoded.Value<RejectedUpdate> value) {
                rejected.add(value.value());
            } else {
                letters.add(deadLetters.unreadable(record, decoded));
            }
        }
        try {
            store.write(new StoreWrite(List.of(), rejected, letters)).block();
        } catch (UnstorableException e) {
            throw new IllegalStateException(
                    "rejected updates: %d of at most a few KB each cannot be stored".formatted(rejected.size()), e);
        }
        deadLetters.written(letters);
        progress.counter("rejected.written").increment(rejected.size());
    }
}
