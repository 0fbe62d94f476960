package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.sink.ChangeFold.Added;
import dev.runcast.store.DeadLetter;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.UnstorableException;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.BatchConsumerAwareMessageListener;
import org.springframework.kafka.listener.ConsumerAwareRebalanceListener;

/**
 * Writes the change feed into the store, poll by poll, and blocks until that is durable; the offsets are committed
 * after it. So a poll may come twice, which changes nothing: what is stored is left out by its version, and what was
 * written in part is written over with the same.
 *
 * <p>An exception from here means that the same poll is tried again, for ever. So only what can heal is thrown. A record
 * that cannot be read, that leaves a hole or that can never be stored becomes a dead letter, and everything else in the
 * poll goes on: neither its partition nor its neighbour's stands still.
 */
public final class MongoSink
        implements BatchConsumerAwareMessageListener<byte[], byte[]>, ConsumerAwareRebalanceListener {
    private static final Logger LOG = LoggerFactory.getLogger(MongoSink.class);

    private final ExecutionStore store;
    private final FeedProgress progress;
    private final DeadLetters deadLetters;
    private final StoredVersions versions;
    private volatile boolean prepared;

    MongoSink(ExecutionStore store, FeedProgress progress, InstantSource clock) {
        this.store = store;
        this.progress = progress;
        this.deadLetters = new DeadLetters(progress, clock);
        this.versions = new StoredVersions(store);
    }

    @Override
    public void onMessage(List<ConsumerRecord<byte[], byte[]>> records, @Nullable Consumer<?, ?> consumer) {
        try {
            progress.timer("write").record(() -> write(records));
            progress.succeeded(records, consumer);
        } catch (RuntimeException e) {
            progress.failed(e);
            throw e;
        }
    }

    @Override
    public void onPartitionsAssigned(Consumer<?, ?> consumer, Collection<TopicPartition> partitions) {
        versions.forgetAll();
    }

    private void write(List<ConsumerRecord<byte[], byte[]>> records) {
        if (!prepared) {
            store.prepare().block();
            prepared = true;
        }
        Slices.of(records).forEach(this::writeSlice);
    }

    private void writeSlice(List<ConsumerRecord<byte[], byte[]>> records) {
        Poll poll = new Poll();
        Set<ExecutionKey> seen = new HashSet<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            Decoded<ChangeBatch> decoded = RecordCodec.CHANGES.decode(record.key(), record.value());
            if (decoded instanceof Decoded.Value<ChangeBatch> value) {
                Incoming next = new Incoming(record, value.value());
                if (!seen.add(next.key()) && next.isFirst()) {
                    // An execution that begins may take another one's place: that one has to be stored before.
                    write(poll);
                    poll = new Poll();
                    seen.clear();
                    seen.add(next.key());
                }
                poll.readable.add(next);
            } else {
                poll.unreadable.add(deadLetters.unreadable(record, decoded));
            }
        }
        write(poll);
    }

    private void write(Poll poll) {
        removeReplaced(poll);
        fold(poll);
        if (poll.holes > 0) {
            // Perhaps only what is remembered is old: the store was repaired, or others wrote meanwhile.
            versions.forgetAll();
            fold(poll);
        }
        store(poll);
        versions.stored(poll.fold.versions());
        progress.counter("changes.written").increment(poll.taken);
        progress.counter("changes.repeated").increment(poll.repeated);
    }

    /** Takes out executions whose ids are used again. Broken off, it is done again when the poll is. */
    private void removeReplaced(Poll poll) {
        for (Incoming one : poll.readable) {
            if (one.isFirst() && versions.of(Set.of(one.key())).getOrDefault(one.key(), 0L) > 0) {
                Execution stored = store.execution(one.key()).block();
                if (stored != null && ReusedId.begins(stored, one.batch.getChanges(0))) {
                    LOG.info("{} ended at version {} and begins anew", one.key(), stored.getVersion());
                    store.remove(one.key()).block();
                    versions.forget(Set.of(one.key()));
                }
            }
        }
    }

    private void fold(Poll poll) {
        Set<ExecutionKey> keys = new LinkedHashSet<>();
        poll.readable.forEach(one -> keys.add(one.key()));
        poll.begin(new ChangeFold(versions.of(keys)));
        for (Incoming one : poll.readable) {
            Added added = poll.fold.add(one.batch);
            if (added instanceof Added.Taken taken) {
                poll.taken += taken.changes();
                poll.repeated += taken.repeated();
            } else if (added instanceof Added.Gap gap) {
                poll.holes++;
                poll.refused.add(deadLetters.letter(one.record, DeadLetters.VERSION_GAP, gap.message()));
            } else if (added instanceof Added.Invalid invalid) {
                poll.refused.add(deadLetters.letter(one.record, DeadLetters.UNREADABLE, invalid.message()));
            }
        }
    }

    private void store(Poll poll) {
        List<ChangeBatch> changes = poll.fold.changes();
        List<DeadLetter> letters = new ArrayList<>(poll.unreadable);
        letters.addAll(poll.refused);
        try {
            store.write(new StoreWrite(changes, List.of(), letters)).block();
        } catch (UnstorableException e) {
            LOG.warn("a poll of {} executions cannot be stored as a whole: one by one", changes.size(), e);
            for (ChangeBatch batch : changes) {
                letters.addAll(storeAlone(batch, poll));
            }
            store.write(StoreWrite.ofDeadLetters(letters)).block();
        }
        deadLetters.written(letters);
    }

    /** What can never be stored becomes dead letters; the execution stays as it is, and its next change leaves a hole. */
    private List<DeadLetter> storeAlone(ChangeBatch batch, Poll poll) {
        try {
            store.write(StoreWrite.ofChanges(List.of(batch))).block();
            return List.of();
        } catch (UnstorableException e) {
            ExecutionKey key = RecordCodec.CHANGES.keyOf(batch);
            poll.fold.versions().remove(key);
            versions.forget(Set.of(key));
            return poll.readable.stream()
                    .filter(one -> one.key().equals(key))
                    .map(one -> deadLetters.letter(one.record, DeadLetters.UNSTORABLE, String.valueOf(e.getMessage())))
                    .toList();
        }
    }

    private record Incoming(ConsumerRecord<byte[], byte[]> record, ChangeBatch batch) {
        ExecutionKey key() {
            return RecordCodec.CHANGES.keyOf(batch);
        }

        /** Whether an execution begins with it. */
        boolean isFirst() {
            return batch.getChangesCount() > 0 && batch.getChanges(0).getFirstVersion() == 1;
        }
    }

    /** One poll on its way into the store. */
    private static final class Poll {
        private final List<Incoming> readable = new ArrayList<>();
        private final List<DeadLetter> unreadable = new ArrayList<>();
        private final List<DeadLetter> refused = new ArrayList<>();
        private ChangeFold fold = new ChangeFold(Map.of());
        private int taken;
        private int repeated;
        private int holes;

        void begin(ChangeFold fresh) {
            refused.clear();
            fold = fresh;
            taken = 0;
            repeated = 0;
            holes = 0;
        }
    }
}
