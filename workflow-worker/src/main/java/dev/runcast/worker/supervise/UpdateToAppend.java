package dev.runcast.worker.supervise;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.runcast.workflow.FailureDetail;

/**
 * An update of the workflow's own.
 *
 * @param tenant whose execution
 * @param executionId which one
 * @param requestId names the update, so that the log may have it twice
 * @param phase the phase that the workflow says, without prefix; empty when it says none
 * @param reason why, for a person
 * @param failure with FAILED: why
 * @param recovered whether it says that the ended execution goes on
 * @param pageUrl where the workflow can be looked at, to be put into the execution's context; empty for nothing
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record UpdateToAppend(
        String tenant,
        String executionId,
        String requestId,
        String phase,
        String reason,
        FailureDetail failure,
        boolean recovered,
        String pageUrl) {}
