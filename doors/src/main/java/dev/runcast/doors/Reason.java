package dev.runcast.doors;

import com.google.rpc.Code;
import dev.runcast.v1.RejectionReason;

/**
 * THE table of failures: what each is called, as which status it is said, and whose it is. The name stands in
 * {@code google.rpc.ErrorInfo.reason}; rows that the contract names too ({@link RejectionReason}) come first.
 */
public enum Reason {
    /** A sequence lies beyond the next one. */
    SEQUENCE_GAP(Code.ABORTED, Category.CALLER),
    /** A newer attempt counts. */
    FENCED(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The epoch lies too far ahead of our clock. */
    EPOCH_AHEAD(Code.INVALID_ARGUMENT, Category.CALLER),
    /** The message breaks the contract. */
    INVALID(Code.INVALID_ARGUMENT, Category.CALLER),
    /** The message, or something in it, exceeds its limit. */
    TOO_LARGE(Code.INVALID_ARGUMENT, Category.CALLER),
    /** This kind of writer may not say this. */
    NOT_PERMITTED(Code.PERMISSION_DENIED, Category.CALLER),
    /** The phase cannot follow the present one. */
    TRANSITION(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The execution has ended. */
    ENDED(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The entry has not appeared. */
    UNKNOWN_ENTRY(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The entry is of another kind. */
    ENTRY_KIND(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The entry is finished. */
    ENTRY_FINISHED(Code.FAILED_PRECONDITION, Category.CALLER),
    /** A bound of the execution is reached. */
    TOO_MANY(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The text does not fit where it is put. */
    TEXT_OFFSET(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The approval was decided before. */
    ALREADY_DECIDED(Code.FAILED_PRECONDITION, Category.CALLER),
    /** A later request has been applied. */
    STALE(Code.ABORTED, Category.CALLER),
    /** What the verdict judged no longer holds. */
    VERDICT_OUTDATED(Code.ABORTED, Category.CALLER),
    /** The execution ended too long ago. */
    CLOSED(Code.FAILED_PRECONDITION, Category.CALLER),
    /** The execution has left the state. */
    EXPIRED(Code.FAILED_PRECONDITION, Category.CALLER),
    /** An earlier update of the writer must come first. */
    OUT_OF_ORDER(Code.ABORTED, Category.CALLER),
    /** The log cannot take more now. */
    UNAVAILABLE(Code.UNAVAILABLE, Category.CAPACITY),

    /** Nobody the door knows. */
    UNAUTHENTICATED(Code.UNAUTHENTICATED, Category.CALLER),
    /** There is no token file, and the caller is not on this machine. */
    LOOPBACK_ONLY(Code.PERMISSION_DENIED, Category.CALLER),
    /** The principal's role may not do this. */
    PERMISSION_DENIED(Code.PERMISSION_DENIED, Category.CALLER),
    /** There is no such thing, or it is another tenant's. */
    NOT_FOUND(Code.NOT_FOUND, Category.CALLER),
    /** The name is taken, by another request. */
    ALREADY_EXISTS(Code.ALREADY_EXISTS, Category.CALLER),
    /** The version asked for lies ahead of what is stored. */
    VERSION_AHEAD(Code.OUT_OF_RANGE, Category.CALLER),
    /** The door does not do this. */
    UNIMPLEMENTED(Code.UNIMPLEMENTED, Category.CALLER),
    /** The caller went away. */
    CANCELLED(Code.CANCELLED, Category.CALLER),
    /** The door is about to stop: try another one, or again. */
    DRAINING(Code.UNAVAILABLE, Category.CAPACITY),
    /** The door has as much to do as it may. */
    OVERLOADED(Code.RESOURCE_EXHAUSTED, Category.CAPACITY),
    /** The log is not there. */
    LOG_UNAVAILABLE(Code.UNAVAILABLE, Category.DEPENDENCY),
    /** The request is in the log, and what became of it has not been heard of yet. */
    NO_ANSWER(Code.UNAVAILABLE, Category.DEPENDENCY),
    /** The store is not there. */
    STORE_UNAVAILABLE(Code.UNAVAILABLE, Category.DEPENDENCY),
    /** An answer did not come in time; whether the request was done is not known. */
    TIMEOUT(Code.DEADLINE_EXCEEDED, Category.DEPENDENCY),
    /** A bug of ours; the log has the rest. */
    INTERNAL(Code.INTERNAL, Category.OURS);

    private final Code code;
    private final Category category;

    Reason(Code code, Category category) {
        this.code = code;
        this.category = category;
    }

    /** The status as which it is said. */
    public Code code() {
        return code;
    }

    /** Whose it is. */
    public Category category() {
        return category;
    }

    /** Whether the same call may succeed later. */
    public boolean retryable() {
        return this == EPOCH_AHEAD || category == Category.DEPENDENCY || category == Category.CAPACITY;
    }

    /**
     * The row of a reason of the contract.
     *
     * @throws IllegalArgumentException when it is not given or not known
     */
    public static Reason of(RejectionReason rejection) {
        if (rejection == RejectionReason.REJECTION_REASON_UNSPECIFIED || rejection == RejectionReason.UNRECOGNIZED) {
            throw new IllegalArgumentException("reason: %s (expected: one that is given)".formatted(rejection));
        }
        return valueOf(rejection.name().substring("REJECTION_REASON_".length()));
    }
}
