package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;

/**
 * What ExecuteGraphton is given. The attempt's epoch is the largest of {@code leastEpoch}, the time in milliseconds at
 * which Temporal scheduled this attempt, and one more than the epoch in the heartbeat details of the attempt before.
 *
 * @param tenant whose execution
 * @param executionId which one
 * @param agent the agent's name
 * @param sessionId the session that the execution belongs to; empty for none
 * @param threadId the thread that EnsureThread named
 * @param input what the agent is given, verbatim
 * @param leastEpoch the least epoch that this attempt may have
 * @param attach whether there were attempts before: ask how the execution stands before the agent runs
 * @param recovery names the newest recovery, 0 when there was none. A question that was put to people before it is
 *     void unless its decision is among {@code decisions}: ask again
 * @param decisions what people decided since the attempt before
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record AttemptRequest(
        String tenant,
        String executionId,
        String agent,
        String sessionId,
        String threadId,
        String input,
        long leastEpoch,
        boolean attach,
        long recovery,
        List<ApprovalDecision> decisions) {}
