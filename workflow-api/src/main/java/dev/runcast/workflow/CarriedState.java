package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;

/**
 * What a workflow hands to its next run when its history has grown long (continue-as-new).
 *
 * @param threadId the agent's thread
 * @param attempts how many attempts have ended
 * @param waitingFor approvals that the agent waits for
 * @param decisions decisions that no attempt has been given yet
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record CarriedState(String threadId, int attempts, List<String> waitingFor, List<ApprovalDecision> decisions) {}
