package dev.runcast.embedded;

/** A server could not start or stop. The message names the value at fault and what was expected instead. */
public final class EmbeddedServerException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    EmbeddedServerException(String message) {
        super(message);
    }

    EmbeddedServerException(String message, Throwable cause) {
        super(message, cause);
    }
}
