package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.List;

/**
 * A change of an execution, as far as it matters to its workflow.
 *
 * @param version the change's version: greater than that of all news before
 * @param control what was asked for: CANCEL, PAUSE, RESUME, RECOVER; empty for nothing
 * @param by who asked; empty when not known
 * @param phase the terminal phase, when the execution ended with this change; else empty
 * @param failure why it failed; empty code when it did not
 * @param recovered whether the execution goes on after an end with this change
 * @param epoch the newest attempt that counts; 0 when not said
 * @param decisions approvals that left the gate with this change
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ExecutionNews(
        long version,
        String control,
        String by,
        String phase,
        FailureDetail failure,
        boolean recovered,
        long epoch,
        List<ApprovalDecision> decisions) {}
