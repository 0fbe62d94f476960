package dev.runcast.cli;

/** A command could not do what was asked, for a reason that its message tells a person in full. */
public class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** A failure that the message explains. */
    public CommandFailure(String message) {
        super(message);
    }

    /** A failure that the message explains and the cause made. */
    public CommandFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
