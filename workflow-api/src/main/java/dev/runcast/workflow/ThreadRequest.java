package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/**
 * What EnsureThread is given.
 *
 * @param tenant whose execution
 * @param executionId which one
 * @param agent the agent's name
 * @param sessionId the session that the execution belongs to; empty for none
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ThreadRequest(String tenant, String executionId, String agent, String sessionId) {}
