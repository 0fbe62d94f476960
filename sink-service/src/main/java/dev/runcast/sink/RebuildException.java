package dev.runcast.sink;

/** A rebuild cannot begin or go on, for a reason that its message tells a person in full. */
public final class RebuildException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    RebuildException(String message) {
        super(message);
    }
}
