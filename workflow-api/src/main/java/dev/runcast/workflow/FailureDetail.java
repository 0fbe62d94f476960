package dev.runcast.workflow;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.util.Objects;

/**
 * Why something failed.
 *
 * @param code a stable upper-case word a program can act on, at most 64 characters; empty means no failure
 * @param message what a person should read, at most 4,096 characters
 * @param retryable whether another attempt may succeed
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record FailureDetail(String code, String message, boolean retryable) {
    /** What another language left out is empty. */
    public FailureDetail {
        code = Objects.requireNonNullElse(code, "");
        message = Objects.requireNonNullElse(message, "");
    }

    /** No failure. */
    public static final FailureDetail NONE = new FailureDetail("", "", false);
}
