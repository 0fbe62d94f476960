package dev.runcast.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.GoldenCase;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.store.StoredEntry;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Execution;
import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The golden cases of the merge, through a rebuild: what the log makes is written, and what is written is what the log
 * makes. The cases keep what every released number of rules means, so a rebuild of old histories gives what it gave.
 */
class GoldenRebuildTest {
    /** After everything that happens in a case. */
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.parse("2100-01-01T00:00:00Z"));

    private final InMemoryExecutionStore store = new InMemoryExecutionStore();

    static Stream<GoldenCase> cases() {
        return GoldenCase.all().stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theRebuildMakesOfTheHistoryWhatTheCaseSays(GoldenCase expected) {
        replace(expected.history());
        UpdateBatch first = expected.history().get(0);
        ExecutionKey key = new ExecutionKey(first.getTenant(), first.getExecutionId());

        assertThat(store.changes(key, 0, Long.MAX_VALUE).collectList().block()).isEqualTo(expected.changes());
        if (!expected.changes().isEmpty()) {
            Execution.Builder stored = store.execution(key).block().toBuilder();
            // A text that grows does not write the sum of the texts' lengths.
            stored.getTotalsBuilder()
                    .setTextBytes(expected.execution().getTotals().getTextBytes());
            assertThat(stored.build()).isEqualTo(expected.execution());
            assertThat(store.entries(expected.execution(), 0)
                            .map(StoredEntry::filled)
                            .collectList()
                            .block())
                    .isEqualTo(expected.entries());
            Map<ExecutionKey, Shadow.Of> shadow = shadow(expected.history());
            assertThat(StoredExecution.read(store, key, shadow.get(key)))
                    .isEqualTo(new StoredExecution(expected.execution().getVersion(), true, ""));
        }
    }

    /** Executions of all rules that there are, in one log: each is rebuilt under the rules of its first batch. */
    @Test
    void executionsKeepTheRulesThatAreStampedInTheirFirstBatch() {
        for (GoldenCase one : GoldenCase.all()) {
            if (!one.changes().isEmpty()) {
                replace(one.history());
                UpdateBatch first = one.history().get(0);
                ExecutionKey key = new ExecutionKey(first.getTenant(), first.getExecutionId());
                assertThat(store.execution(key).block().getRules())
                        .as("rules of %s", one)
                        .isEqualTo(one.execution().getRules());
                store.remove(key).block();
            }
        }
    }

    private void replace(List<UpdateBatch> history) {
        fold(history, new Replacement(store, key -> true, true, rejected -> {}, new AtomicLong()));
    }

    private static Map<ExecutionKey, Shadow.Of> shadow(List<UpdateBatch> history) {
        ConcurrentHashMap<ExecutionKey, Shadow.Of> shadow = new ConcurrentHashMap<>();
        fold(history, new LogShadow(shadow, rejected -> {}));
        return shadow;
    }

    static void fold(List<UpdateBatch> history, PartitionFold.Listener listener) {
        PartitionFold fold = new PartitionFold(listener, new PartitionFold.Counts(), CLOCK);
        long offset = 0;
        for (UpdateBatch batch : history) {
            fold.take(new ConsumerRecord<>(
                    Topic.UPDATES.topicName(),
                    0,
                    offset++,
                    RecordCodec.key(RecordCodec.UPDATES.keyOf(batch)),
                    batch.toByteArray()));
        }
        fold.end();
    }
}
