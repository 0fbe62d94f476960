package dev.runcast.doors;

import com.google.rpc.BadRequest;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A failure on its way to a caller. Made by {@link Failures}; a message names the value and what was expected, and never
 * holds a secret.
 */
public final class DoorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;
    private final transient Map<String, String> metadata;
    private final transient List<BadRequest.FieldViolation> violations;

    DoorException(
            Reason reason,
            String message,
            Map<String, String> metadata,
            List<BadRequest.FieldViolation> violations,
            @Nullable Throwable cause) {
        // Without a stack trace: refusing is part of the work, and may be done thousands of times a second.
        super(message, cause, false, false);
        this.reason = reason;
        this.metadata = Map.copyOf(metadata);
        this.violations = List.copyOf(violations);
    }

    /** Which failure it is. */
    public Reason reason() {
        return reason;
    }

    /** What a program may want to know: of a wrong value {@code field}, {@code value} and {@code expected}. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** The wrong fields; empty when it is not about fields. */
    public List<BadRequest.FieldViolation> violations() {
        return violations;
    }
}
