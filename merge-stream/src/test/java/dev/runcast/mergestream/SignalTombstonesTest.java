package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.merge.StateReader;
import dev.runcast.merge.StateWrite;
import dev.runcast.mergestream.SignalTombstones.Due;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Phase;
import dev.runcast.v1.ResendRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class SignalTombstonesTest {
    private static final Instant END = Instant.parse("2026-03-01T12:00:00Z");

    private final MapState state = new MapState();

    @Test
    void theLevelOfAnEndedExecutionLeaves25HoursAfterItsEnd() {
        changed("run-1", Phase.PHASE_COMPLETED, END);

        assertThat(dueAt(END.plus(Duration.ofHours(25)).minusSeconds(1))).isEmpty();
        assertThat(dueAt(END.plus(Duration.ofHours(25)))).containsExactly("acme/run-1");
    }

    @Test
    void aLevelOfALiveExecutionStays() {
        changed("run-1", Phase.PHASE_RUNNING, END);

        assertThat(state.records).isEmpty();
    }

    @Test
    void aLevelOfWhichNothingWasAcceptedLeaves() {
        ExecutionSignals.Builder level = ExecutionSignals.newBuilder()
                .setTenant("acme")
                .setExecutionId("run-1")
                .setUpdatedAt(Times.timestamp(END.toEpochMilli()));
        state.write(SignalTombstones.changed(state, level.build()));
        assertThat(dueAt(END.plus(Duration.ofHours(25)))).as("asks for nothing").containsExactly("acme/run-1");

        level.addResends(ResendRequest.newBuilder().setEpoch(1).setExpectedSequence(1));
        state.write(SignalTombstones.changed(state, level.build()));
        assertThat(dueAt(END.plus(Duration.ofDays(30)).minusSeconds(1)))
                .as("asks for what is missing")
                .isEmpty();
        assertThat(dueAt(END.plus(Duration.ofDays(30)))).containsExactly("acme/run-1");

        changed("run-1", 1, Phase.PHASE_PENDING, END.plusSeconds(60));
        assertThat(state.records).as("it has begun").isEmpty();
    }

    @Test
    void aReopenedExecutionKeepsItsLevelAndLeavesNothingBehind() {
        changed("run-1", Phase.PHASE_FAILED, END);
        changed("run-1", Phase.PHASE_PENDING, END.plusSeconds(60));

        assertThat(state.records).isEmpty();
    }

    @Test
    void aSecondEndCountsInsteadOfTheFirst() {
        changed("run-1", Phase.PHASE_FAILED, END);
        changed("run-1", Phase.PHASE_PENDING, END.plusSeconds(60));
        changed("run-1", Phase.PHASE_COMPLETED, END.plus(Duration.ofHours(3)));

        assertThat(dueAt(END.plus(Duration.ofDays(1)))).isEmpty();
        assertThat(dueAt(END.plus(Duration.ofHours(28)))).containsExactly("acme/run-1");
    }

    @Test
    void theOldestEndsComeFirstAndNoMoreThanTheLimit() {
        changed("b", Phase.PHASE_COMPLETED, END.plusSeconds(2));
        changed("c", Phase.PHASE_COMPLETED, END.plusSeconds(3));
        changed("a", Phase.PHASE_COMPLETED, END.plusSeconds(1));

        Instant later = END.plus(Duration.ofDays(2));
        assertThat(keys(SignalTombstones.due(state, later, 2))).containsExactly("acme/a", "acme/b");
    }

    @Test
    void whatHasLeftIsNotDueAgain() {
        changed("run-1", Phase.PHASE_COMPLETED, END);
        Instant later = END.plus(Duration.ofDays(2));
        SignalTombstones.due(state, later, 10).forEach(due -> state.write(due.writes()));

        assertThat(state.records).isEmpty();
    }

    private void changed(String executionId, Phase phase, Instant at) {
        changed(executionId, 1, phase, at);
    }

    private void changed(String executionId, long version, Phase phase, Instant at) {
        state.write(SignalTombstones.changed(
                state,
                ExecutionSignals.newBuilder()
                        .setTenant("acme")
                        .setExecutionId(executionId)
                        .setVersion(version)
                        .setPhase(phase)
                        .setUpdatedAt(Times.timestamp(at.toEpochMilli()))
                        .build()));
    }

    private List<String> dueAt(Instant logTime) {
        return keys(SignalTombstones.due(state, logTime, 10));
    }

    private static List<String> keys(List<Due> due) {
        return due.stream()
                .map(signal -> new String(signal.key(), StandardCharsets.UTF_8))
                .toList();
    }

    /** A store in memory. */
    private static final class MapState implements StateReader {
        final TreeMap<byte[], byte[]> records = new TreeMap<>(Arrays::compareUnsigned);

        @Override
        public byte @Nullable [] get(byte[] key) {
            return records.get(key);
        }

        @Override
        public List<byte[]> keys(byte[] prefix, int limit) {
            return records.tailMap(prefix).keySet().stream()
                    .takeWhile(key -> key.length >= prefix.length
                            && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length))
                    .limit(limit)
                    .toList();
        }

        void write(List<StateWrite> writes) {
            for (StateWrite write : writes) {
                if (write.value() == null) {
                    records.remove(write.key());
                } else {
                    records.put(write.key(), write.value());
                }
            }
        }
    }
}
