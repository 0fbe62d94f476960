package dev.runcast.cli;

import dev.runcast.recording.RecordingException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/**
 * The root of the command line. Exit codes: 0 done, 1 failed, 2 wrong usage, 4 not found, 5 not possible
 * as things stand, 69 the server cannot be reached or did not answer ({@code EX_UNAVAILABLE} of
 * sysexits.h), 77 not permitted ({@code EX_NOPERM}).
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
            RejectedCommand.class,
            CreateCommand.class,
            ControlCommands.Cancel.class,
            ControlCommands.Pause.class,
            ControlCommands.Resume.class,
            ControlCommands.Recover.class,
            DecideCommand.Approve.class,
            DecideCommand.Reject.class,
            DecideCommand.Skip.class
        },
        exitCodeListHeading = Runcast.EXIT_CODES,
        exitCodeList = {
            Runcast.DONE_CODE,
            "1:failed",
            "2:wrong usage",
            "4:not found",
            Runcast.REFUSED_CODE,
            Runcast.UNAVAILABLE_CODE,
            "77:not permitted"
        })
public final class Runcast {
    /** The requested thing does not exist. */
    public static final int NOT_FOUND = 4;

    /** Not possible as things stand: the phase does not allow it, the name is taken, somebody else decided first. */
    public static final int REFUSED = 5;

    /** The server cannot be reached, or did not answer in time. */
    public static final int UNAVAILABLE = 69;

    /** The caller may not do this. */
    public static final int NOT_PERMITTED = 77;

    static final String EXIT_CODES = "%nExit codes:%n";
    static final String DONE_CODE = "0:done";
    static final String REFUSED_CODE =
            "5:not possible as things stand: the phase does not allow it, the name is taken, somebody decided first";
    static final String UNAVAILABLE_CODE = "69:no server, or no answer in time: the same --request-id again is safe";

    /** A command line with every command of this module; more may be added to it. */
    public static CommandLine commandLine() {
        CommandLine commands = new CommandLine(new Runcast())
                .setCaseInsensitiveEnumValuesAllowed(true)
                // A word that begins with @ is ours: @latest, and @FILE where a text is wanted.
                .setExpandAtFiles(false)
                .setExecutionExceptionHandler(Runcast::explain);
        CommandLine.IParameterExceptionHandler usage = commands.getParameterExceptionHandler();
        return commands.setParameterExceptionHandler((failure, arguments) ->
                isUnknownCommand(failure) ? unknownCommand(failure) : usage.handleParseException(failure, arguments));
    }

    private static boolean isUnknownCommand(CommandLine.ParameterException failure) {
        return failure instanceof CommandLine.UnmatchedArgumentException unmatched
                && failure.getCommandLine().getParent() == null
                && !unmatched.isUnknownOption();
    }

    /** Told apart from a wrong argument: picocli counts both as "unmatched". */
    private static int unknownCommand(CommandLine.ParameterException failure) {
        CommandLine commands = failure.getCommandLine();
        CommandLine.UnmatchedArgumentException unmatched = (CommandLine.UnmatchedArgumentException) failure;
        commands.getErr()
                .println("runcast: %s: no such command (expected: one of %s)"
                        .formatted(
                                unmatched.getUnmatched().get(0),
                                String.join(", ", commands.getSubcommands().keySet())));
        return CommandLine.ExitCode.USAGE;
    }

    // A person at a terminal needs the sentence, not the stack: the stack is behind RUNCAST_DEBUG.
    private static int explain(Exception failure, CommandLine command, CommandLine.ParseResult parsed) {
        PrintWriter err = command.getErr();
        if (System.getenv("RUNCAST_DEBUG") != null) {
            failure.printStackTrace(err);
        }
        if (failure instanceof StatusRuntimeException refused) {
            err.println("runcast: " + sentence(refused));
            return switch (refused.getStatus().getCode()) {
                case NOT_FOUND -> NOT_FOUND;
                case UNAVAILABLE -> UNAVAILABLE;
                case UNAUTHENTICATED, PERMISSION_DENIED -> NOT_PERMITTED;
                case INVALID_ARGUMENT -> CommandLine.ExitCode.USAGE;
                case FAILED_PRECONDITION, ALREADY_EXISTS, ABORTED -> REFUSED;
                default -> CommandLine.ExitCode.SOFTWARE;
            };
        }
        if (failure instanceof CommandFailure explained) {
            err.println("runcast: " + explained.getMessage());
            return explained.exitCode();
        }
        if (failure instanceof RecordingException || failure instanceof UncheckedIOException) {
            err.println("runcast: " + failure.getMessage());
        } else {
            err.println("runcast: " + failure);
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    private static String sentence(StatusRuntimeException refused) {
        Status status = refused.getStatus();
        String description = status.getDescription();
        com.google.rpc.Status said = StatusProto.fromThrowable(refused);
        if (said != null && said.getDetailsCount() > 0 && status.getCode() == Status.Code.UNAVAILABLE) {
            // The server can be reached; what is behind it does not answer.
            return said.getMessage();
        }
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
