package dev.runcast.merge;

import dev.runcast.v1.RejectionReason;

/**
 * Why an update is not applied.
 *
 * @param message for a person: the value and what was expected
 */
record Refusal(RejectionReason reason, String message) {
    static Refusal of(RejectionReason reason, String message) {
        return new Refusal(reason, message);
    }

    static Refusal invalid(String field, Object value, String expected) {
        return new Refusal(
                RejectionReason.REJECTION_REASON_INVALID, "%s: %s (expected: %s)".formatted(field, value, expected));
    }

    static Refusal tooLarge(String field, long bytes, long limit) {
        return new Refusal(
                RejectionReason.REJECTION_REASON_TOO_LARGE,
                "%s: %d bytes (expected: at most %d)".formatted(field, bytes, limit));
    }

    static Refusal tooMany(String what, long count, long limit) {
        return new Refusal(
                RejectionReason.REJECTION_REASON_TOO_MANY,
                "%s: %d (expected: at most %d)".formatted(what, count, limit));
    }
}
