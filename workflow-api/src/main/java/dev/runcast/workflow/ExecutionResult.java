package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;

/**
 * What a workflow ends with.
 *
 * @param phase the terminal phase: COMPLETED, FAILED, CANCELLED or TERMINATED
 * @param failure why it failed; empty code when it did not
 * @param attempts how many attempts of ExecuteGraphton ended under this workflow
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ExecutionResult(String phase, FailureDetail failure, int attempts) {}
