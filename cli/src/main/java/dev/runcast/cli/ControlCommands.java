package dev.runcast.cli;

import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CancelExecutionResponse;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceBlockingStub;
import dev.runcast.v1.PauseExecutionRequest;
import dev.runcast.v1.PauseExecutionResponse;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RecoverExecutionRequest;
import dev.runcast.v1.RecoverExecutionResponse;
import dev.runcast.v1.ResumeExecutionRequest;
import dev.runcast.v1.ResumeExecutionResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The four requests that are about a run as a whole. */
final class ControlCommands {
    private ControlCommands() {}

    /** cancel. */
    @Command(
            name = "cancel",
            description = "Ask an execution to end.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Cancel extends RequestCommand {
        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for a person.")
        private String reason = "";

        @Override
        Answer ask(ExecutionServiceBlockingStub server, String execution, String requestId) {
            CancelExecutionResponse response = server.cancelExecution(CancelExecutionRequest.newBuilder()
                    .setExecutionId(execution)
                    .setRequestId(requestId)
                    .setReason(reason)
                    .build());
            return new Answer(
                    response,
                    response.getPhase() == Phase.PHASE_CANCELLED
                            ? execution + " is CANCELLED."
                            : "%s is asked to stop; until it has, it is %s."
                                    .formatted(execution, Words.phase(response.getPhase())),
                    0);
        }
    }

    /** pause. */
    @Command(
            name = "pause",
            description = "Hold an execution.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Pause extends RequestCommand {
        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for a person.")
        private String reason = "";

        @Override
        Answer ask(ExecutionServiceBlockingStub server, String execution, String requestId) {
            PauseExecutionResponse response = server.pauseExecution(PauseExecutionRequest.newBuilder()
                    .setExecutionId(execution)
                    .setRequestId(requestId)
                    .setReason(reason)
                    .build());
            return new Answer(response, "%s is %s.".formatted(execution, Words.phase(response.getPhase())), 0);
        }
    }

    /** resume. */
    @Command(
            name = "resume",
            description = "Let an execution that is held go on.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Resume extends RequestCommand {
        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for a person.")
        private String reason = "";

        @Override
        Answer ask(ExecutionServiceBlockingStub server, String execution, String requestId) {
            ResumeExecutionResponse response = server.resumeExecution(ResumeExecutionRequest.newBuilder()
                    .setExecutionId(execution)
                    .setRequestId(requestId)
                    .setReason(reason)
                    .build());
            return new Answer(
                    response, "%s goes on; it is %s.".formatted(execution, Words.phase(response.getPhase())), 0);
        }
    }

    /** recover. */
    @Command(
            name = "recover",
            description = "Let an execution that failed or was cancelled go on: its workflow starts another attempt.",
            exitCodeListHeading = Runcast.EXIT_CODES,
            exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
            mixinStandardHelpOptions = true)
    static final class Recover extends RequestCommand {
        @Option(names = "--reason", paramLabel = "TEXT", description = "Why, for a person.")
        private String reason = "";

        @Override
        Answer ask(ExecutionServiceBlockingStub server, String execution, String requestId) {
            RecoverExecutionResponse response = server.recoverExecution(RecoverExecutionRequest.newBuilder()
                    .setExecutionId(execution)
                    .setRequestId(requestId)
                    .setReason(reason)
                    .build());
            return new Answer(
                    response,
                    "%s is to go on; until its workflow has begun, it is %s."
                            .formatted(execution, Words.phase(response.getPhase())),
                    0);
        }
    }
}
