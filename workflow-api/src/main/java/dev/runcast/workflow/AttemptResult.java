package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What ExecuteGraphton answers: small, since everything else has been reported to Runcast.
 *
 * @param status how the attempt came to its end
 * @param epoch the attempt's epoch in milliseconds
 * @param durable whether the terminal phase has been reported and is acked
 * @param failure with FAILED: why
 * @param waitingFor with WAITING: the approvals, all of them reported and acked
 * @param outcome with CLOSED: the terminal phase that was there already, such as COMPLETED; empty when not known
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record AttemptResult(
        Status status,
        long epoch,
        boolean durable,
        @Nullable FailureDetail failure,
        @Nullable List<String> waitingFor,
        @Nullable String outcome) {

    /** How an attempt came to its end. */
    public enum Status {
        /** The agent finished. */
        COMPLETED,
        /** The agent failed. */
        FAILED,
        /** The agent stopped because somebody asked for the end. */
        CANCELLED,
        /** A person has to decide first. */
        WAITING,
        /** The agent was told to stop, whatever for, and has kept its progress. */
        STOPPED,
        /** A newer attempt counts. */
        FENCED,
        /** The execution had ended before; nothing was run. */
        CLOSED
    }

    /** An attempt that ended the run, or was told to stop. */
    public static AttemptResult of(Status status, long epoch, boolean durable) {
        return new AttemptResult(status, epoch, durable, null, null, null);
    }
}
