package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import org.jspecify.annotations.Nullable;

/**
 * A person's answer to an approval.
 *
 * @param approvalId the entry of the approval
 * @param decision APPROVE, EDIT, REJECT or SKIP; empty when the question was taken back
 * @param arguments the changed arguments, verbatim; null except with EDIT
 * @param comment why, as the person said it; may be empty
 * @param decidedBy who decided; may be empty
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record ApprovalDecision(
        String approvalId, String decision, @Nullable String arguments, String comment, String decidedBy) {}
