package dev.runcast.cli;

import dev.runcast.recording.RecordingException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The root of the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 4 not found, 69 the
 * server cannot be reached ({@code EX_UNAVAILABLE} of sysexits.h), 77 not permitted ({@code EX_NOPERM}).
 */
@Command(
        name = "runcast",
        description = "Broadcasts the runs of AI agents.",
        mixinStandardHelpOptions = true,
        version = "runcast 0.1.0",
        synopsisSubcommandLabel = "COMMAND",
        usageHelpAutoWidth = true,
        subcommands = {
            PlayCommand.class,
            WatchCommand.class,
            GetCommand.class,
            ListCommand.class,
            ChangesCommand.class,
            RejectedCommand.class
        })
public final class Runcast {
    /** The requested thing does not exist. */
    public static final int NOT_FOUND = 4;

    /** The server cannot be reached. */
    public static final int UNAVAILABLE = 69;

    /** The caller may not do this. */
    public static final int NOT_PERMITTED = 77;

    /** A command line with every command of this module; more may be added to it. */
    public static CommandLine commandLine() {
        return new CommandLine(new Runcast())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(Runcast::explain);
    }

    // A person at a terminal needs the sentence, not the stack: the stack is behind RUNCAST_DEBUG.
    private static int explain(Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        PrintWriter err = command.getErr();
        if (System.getenv("RUNCAST_DEBUG") != null) {
            failure.printStackTrace(err);
        }
        if (failure instanceof StatusRuntimeException refused) {
            err.println("runcast: " + sentence(refused.getStatus()));
            return switch (refused.getStatus().getCode()) {
                case NOT_FOUND -> NOT_FOUND;
                case UNAVAILABLE -> UNAVAILABLE;
                case UNAUTHENTICATED, PERMISSION_DENIED -> NOT_PERMITTED;
                case INVALID_ARGUMENT -> CommandLine.ExitCode.USAGE;
                default -> CommandLine.ExitCode.SOFTWARE;
            };
        }
        if (failure instanceof CommandFailure
                || failure instanceof RecordingException
                || failure instanceof UncheckedIOException) {
            err.println("runcast: " + failure.getMessage());
        } else {
            err.println("runcast: " + failure);
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static String sentence(Status status) {
        String description = status.getDescription();
        return switch (status.getCode()) {
            case UNAVAILABLE ->
                // gRPC says "io exception"; which address refused is in its cause.
                "the server cannot be reached: "
                        + (status.getCause() == null
                                ? description
                                : status.getCause().getMessage())
                        + "\n  Is it running? `./runcast up` starts a local one; --server, --ingest or"
                        + " RUNCAST_SERVER, RUNCAST_INGEST name another.";
            case UNAUTHENTICATED -> description + "\n  Give a token with --token or RUNCAST_TOKEN.";
            default -> description == null ? status.getCode().toString() : description;
        };
    }
}
