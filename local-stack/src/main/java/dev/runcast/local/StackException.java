package dev.runcast.local;

import dev.runcast.cli.CommandFailure;

/** The stack cannot start, for a reason that the message tells a person in full. */
final class StackException extends CommandFailure {
    private static final long serialVersionUID = 1L;

    StackException(String message) {
        super(message);
    }

    StackException(String message, Throwable cause) {
        super(message, cause);
    }
}
