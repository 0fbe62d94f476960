package dev.runcast.mergestream;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.StateReader;
import dev.runcast.merge.StateWrite;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Phase;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * When the level of an ended execution may leave {@code runcast.signals.v1}: a day of log time after the end, so that
 * a runner that comes back late is still told.
 *
 * <p>It is kept in the merge's own store under two kinds of key that merge-core does not use, since the two must change
 * in one transaction: {@code F0, due time, execution} is the queue in order of time, {@code F1, execution} finds the
 * place in it when an execution is reopened.
 */
final class SignalTombstones {
    static final Duration AFTER_THE_END = Duration.ofDays(1);

    private static final byte QUEUE = (byte) 0xF0;
    private static final byte PLACE = (byte) 0xF1;
    private static final int HEAD = 1 + Long.BYTES;
    private static final byte[] PRESENT = {1};

    private SignalTombstones() {}

    /** What has to be written because an execution's level changed. */
    static List<StateWrite> changed(StateReader state, ExecutionSignals signals) {
        byte[] execution = new ExecutionKey(signals.getTenant(), signals.getExecutionId())
                .toString()
                .getBytes(StandardCharsets.UTF_8);
        byte[] place = place(execution);
        byte[] old = state.get(place);
        List<StateWrite> writes = new ArrayList<>();
        if (old != null) {
            writes.add(new StateWrite(queue(ByteBuffer.wrap(old).getLong(), execution), null));
        }
        if (isTerminal(signals.getPhase())) {
            long due = signals.getUpdatedAt().getSeconds() + AFTER_THE_END.toSeconds();
            writes.add(new StateWrite(queue(due, execution), PRESENT));
            writes.add(new StateWrite(
                    place, ByteBuffer.allocate(Long.BYTES).putLong(due).array()));
        } else if (old != null) {
            writes.add(new StateWrite(place, null));
        }
        return writes;
    }

    /** The executions whose level is due to leave, oldest first. */
    static List<Due> due(StateReader state, Instant logTime, int limit) {
        List<Due> due = new ArrayList<>();
        for (byte[] key : state.keys(new byte[] {QUEUE}, limit)) {
            if (ByteBuffer.wrap(key).getLong(1) > logTime.getEpochSecond()) {
                break;
            }
            byte[] execution = new byte[key.length - HEAD];
            System.arraycopy(key, HEAD, execution, 0, execution.length);
            due.add(new Due(execution, List.of(new StateWrite(key, null), new StateWrite(place(execution), null))));
        }
        return due;
    }

    /**
     * A level that leaves.
     *
     * @param key the record's key
     * @param writes what takes it out of the queue
     */
    record Due(byte[] key, List<StateWrite> writes) {}

    static boolean isTerminal(Phase phase) {
        return switch (phase) {
            case PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED -> true;
            case PHASE_UNSPECIFIED,
                    PHASE_PENDING,
                    PHASE_RUNNING,
                    PHASE_WAITING_FOR_APPROVAL,
                    PHASE_PAUSED,
                    UNRECOGNIZED -> false;
        };
    }

    private static byte[] queue(long dueSecond, byte[] execution) {
        return ByteBuffer.allocate(HEAD + execution.length)
                .put(QUEUE)
                .putLong(dueSecond)
                .put(execution)
                .array();
    }

    private static byte[] place(byte[] execution) {
        return ByteBuffer.allocate(1 + execution.length)
                .put(PLACE)
                .put(execution)
                .array();
    }
}
