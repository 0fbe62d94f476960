package dev.runcast.store;

/** A filter or a page token that cannot be used: the caller's mistake. The message gives value and expectation. */
public final class InvalidQueryException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final String field;
    private final String value;
    private final String expected;

    InvalidQueryException(String field, String value, String expected) {
        super("%s: %s (expected: %s)".formatted(field, value, expected));
        this.field = field;
        this.value = value;
        this.expected = expected;
    }

    /** The field of the request that is wrong: {@code filter} or {@code page_token}. */
    public String field() {
        return field;
    }

    /** What is wrong in it, with its position in a filter. */
    public String value() {
        return value;
    }

    /** What was expected there. */
    public String expected() {
        return expected;
    }
}
