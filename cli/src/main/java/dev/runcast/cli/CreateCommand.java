package dev.runcast.cli;

import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.ExecutionSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Declares an execution: its workflow starts the agent. */
@Command(
        name = "create",
        description = "Create an execution: its workflow starts the agent.",
        exitCodeListHeading = Runcast.EXIT_CODES,
        exitCodeList = {Runcast.DONE_CODE, Runcast.REFUSED_CODE, Runcast.UNAVAILABLE_CODE},
        mixinStandardHelpOptions = true)
final class CreateCommand implements Callable<Integer> {
    /** A store that is behind does not hold up the answer, and can say nothing of what was created yet. */
    private static final Duration STORED = Duration.ofSeconds(30);

    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "AGENT", description = "The agent that is to run.")
    private String agent = "";

    @Option(names = "--input", paramLabel = "TEXT|@FILE|-", description = "What the agent is given.")
    private String input = "";

    @Option(names = "--label", paramLabel = "KEY=VALUE", description = "For finding it; may be repeated.")
    private Map<String, String> labels = new LinkedHashMap<>();

    @Option(names = "--id", paramLabel = "ID", description = "Its name (default: the request's).")
    private String id = "";

    @Option(names = "--session", paramLabel = "S", description = "The conversation or session it belongs to.")
    private String session = "";

    @Option(
            names = "--request-id",
            paramLabel = "R",
            description = "Names the request: the same one again creates nothing and gets the same answer.")
    private String requestId = UUID.randomUUID().toString();

    @Option(names = "--without-workflow", description = "No workflow starts the agent; a runner takes it up by itself.")
    private boolean withoutWorkflow;

    @Option(names = "--watch", description = "Show it as it runs, to its end.")
    private boolean watch;

    @Option(names = "--exit-status", description = "With --watch: exit as `watch --exit-status` does.")
    private boolean exitStatus;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "For a person, or the answer as one JSON object on one line.")
    private OutputFormat output = OutputFormat.TEXT;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        try (Connection.Session server = connection.open()) {
            CreateExecutionResponse response = server.executions()
                    .createExecution(CreateExecutionRequest.newBuilder()
                            .setExecutionId(id)
                            .setRequestId(requestId)
                            .setSpec(ExecutionSpec.newBuilder()
                                    .setAgent(agent)
                                    .setSessionId(session)
                                    .setInput(TextArgument.read(input)))
                            .putAllLabels(labels)
                            .setWithoutWorkflow(withoutWorkflow)
                            .build());
            String execution = response.getExecution().getExecutionId();
            PrintWriter out = spec.commandLine().getOut();
            out.println(
                    output == OutputFormat.JSON
                            ? OutputFormat.line(response)
                            : "%s is created; it is %s."
                                    .formatted(
                                            execution,
                                            Words.phase(response.getExecution().getPhase())));
            out.flush();
            return watch ? WatchCommand.watch(server, execution, STORED, output, exitStatus, spec) : 0;
        }
    }
}
