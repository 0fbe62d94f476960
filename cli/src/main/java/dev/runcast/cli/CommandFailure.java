package dev.runcast.cli;

import picocli.CommandLine;

/** A command could not do what was asked, for a reason that its message tells a person in full. */
public class CommandFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /** A failure that the message explains. */
    public CommandFailure(String message) {
        this(message, CommandLine.ExitCode.SOFTWARE);
    }

    /** A failure with an exit code of its own. */
    CommandFailure(String message, int exitCode) {
        super(message);
        this.exitCode = exitCode;
    }

    /** A failure that the message explains and the cause made. */
    public CommandFailure(String message, Throwable cause) {
        super(message, cause);
        this.exitCode = CommandLine.ExitCode.SOFTWARE;
    }

    /** With which the command exits. */
    int exitCode() {
        return exitCode;
    }
}
