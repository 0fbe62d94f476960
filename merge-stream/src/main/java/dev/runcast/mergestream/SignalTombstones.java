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
import org.jspecify.annotations.Nullable;

/**
 * When a level may leave {@code runcast.signals.v1}. One of an ended execution: a day of log time after it was last
 * written, and an hour more, in which doors' clocks may differ, so that a runner that comes back late is still told;
 * one that comes back later yet is refused, and the level is written again for it. One of an execution that is not
 * known, or that nothing was accepted of: likewise, unless it asks for what is missing. That is asked once, so it stays
 * for as long as the merge remembers that it has asked.
 *
 * <p>It is kept in the merge's own store under two kinds of key that merge-core does not use, since the two must change
 * in one transaction: {@code F0, due time, execution} is the queue in order of time, {@code F1, execution} finds the
 * place in it when an execution is reopened.
 */
final class SignalTombstones {
    static final Duration AFTER_THE_END = Duration.ofHours(25);
    /** How long the merge keeps the header of an execution of which it has accepted nothing. */
    static final Duration AFTER_A_GAP = Duration.ofDays(30);

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
        Duration stays = stays(signals);
        if (stays != null) {
            long due = signals.getUpdatedAt().getSeconds() + stays.toSeconds();
            writes.add(new StateWrite(queue(due, execution), PRESENT));
            writes.add(new StateWrite(
                    place, ByteBuffer.allocate(Long.BYTES).putLong(due).array()));
        } else if (old != null) {
            writes.add(new StateWrite(place, null));
        }
        return writes;
    }

    /** Null while the execution lives. */
    private static @Nullable Duration stays(ExecutionSignals signals) {
        if (signals.getVersion() == 0) {
            return signals.getResendsCount() > 0 ? AFTER_A_GAP : AFTER_THE_END;
        }
        return isTerminal(signals.getPhase()) ? AFTER_THE_END : null;
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
