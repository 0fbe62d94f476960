package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import org.jspecify.annotations.Nullable;

/**
 * What a workflow is started with.
 *
 * @param tenant whose execution
 * @param executionId which one
 * @param agent the agent's name; empty when the execution does not say
 * @param sessionId the session that it belongs to; empty for none
 * @param input what the agent is given, verbatim
 * @param version the version of the execution that this was taken from; news up to it are known
 * @param leastEpoch the least epoch that an attempt may have; 0 when none has been
 * @param paused whether the execution is held
 * @param cancelRequested whether its end has been asked for
 * @param recovery names the newest recovery: the version at which it was asked for; 0 when there was none
 * @param policy how attempts are supervised
 * @param carried what an earlier run of this workflow hands over; null in the first
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ExecutionRequest(
        String tenant,
        String executionId,
        String agent,
        String sessionId,
        String input,
        long version,
        long leastEpoch,
        boolean paused,
        boolean cancelRequested,
        long recovery,
        SupervisionPolicy policy,
        @Nullable CarriedState carried) {}
