package dev.runcast.ingest;

import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.Phase;
import dev.runcast.v1.ResendRequest;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import dev.runcast.v1.Writer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What runners of an execution should know: the merge's level, without what the key says already.
 *
 * @param version at which the level last changed
 * @param epoch the newest adopted attempt; 0 means none
 * @param minimumEpoch attempts below it are fenced
 * @param givenUpEpoch attempts above {@code epoch} and up to it are fenced as well; 0 means none
 * @param phase where the execution stands
 * @param cancel whether its end has been asked for
 * @param pause whether it is held
 * @param resends what the merge misses
 */
record Level(
        long version,
        long epoch,
        long minimumEpoch,
        long givenUpEpoch,
        Phase phase,
        boolean cancel,
        boolean pause,
        List<ResendRequest> resends) {
    static Level of(ExecutionSignals signals) {
        return new Level(
                signals.getVersion(),
                signals.getEpoch(),
                signals.getMinimumEpoch(),
                signals.getGivenUpEpoch(),
                signals.getPhase(),
                signals.getCancelRequested(),
                signals.getPaused(),
                List.copyOf(signals.getResendsList()));
    }

    /**
     * What one writer of one attempt is told.
     *
     * @param level null when nothing has been merged yet
     * @param slowDown how far apart appends should be; zero means at will
     */
    static Signal signal(@Nullable Level level, String executionId, Writer writer, long epoch, Duration slowDown) {
        Signal.Builder signal = Signal.newBuilder()
                .setExecutionId(executionId)
                .setWriter(writer)
                .setEpoch(epoch);
        if (!slowDown.isZero()) {
            signal.getSlowDownBuilder().setSeconds(slowDown.toSeconds()).setNanos(slowDown.toNanosPart());
        }
        if (level == null) {
            return signal.build();
        }
        signal.setStanding(level.standing(epoch)).setCancel(level.cancel).setPause(level.pause);
        if (level.ended()) {
            signal.setOutcome(level.phase);
        }
        for (ResendRequest resend : level.resends) {
            if (resend.getEpoch() == epoch && resend.getWriter().equals(writer)) {
                signal.setResendFrom(resend.getExpectedSequence());
            }
        }
        return signal.build();
    }

    private Standing standing(long asked) {
        if (ended()) {
            return Standing.STANDING_CLOSED;
        }
        if (asked < epoch || asked < minimumEpoch || asked > epoch && asked <= givenUpEpoch) {
            return Standing.STANDING_FENCED;
        }
        return asked == epoch ? Standing.STANDING_ADOPTED : Standing.STANDING_UNSPECIFIED;
    }

    private boolean ended() {
        return switch (phase) {
            case PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED -> true;
            default -> false;
        };
    }
}
