package dev.runcast.cli;

import com.google.common.collect.PeekingIterator;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    /** How long a watch waits for what is created: longer than its answer may take. The most that the contract allows. */
    private static final Duration BEGUN = Duration.ofMinutes(1);

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
            CreateExecutionRequest request = CreateExecutionRequest.newBuilder()
                    .setExecutionId(id)
                    .setRequestId(requestId)
                    .setSpec(ExecutionSpec.newBuilder()
                            .setAgent(agent)
                            .setSessionId(session)
                            .setInput(TextArgument.read(input)))
                    .putAllLabels(labels)
                    .setWithoutWorkflow(withoutWorkflow)
                    .build();
            String execution = id.isEmpty() ? requestId : id;
            // What is there already is not shown before the server has said whose it is.
            if (watch && isUnknown(server, execution)) {
                return watchAndCreate(server, execution, request);
            }
            say(server.executions().createExecution(request));
            return watch ? show(new Watched(server, execution, BEGUN)) : 0;
        }
    }

    private static boolean isUnknown(Connection.Session server, String execution) {
        try {
            server.executions()
                    .getExecution(GetExecutionRequest.newBuilder()
                            .setExecutionId(execution)
                            .build());
            return false;
        } catch (StatusRuntimeException e) {
            // Whatever else is wrong is said by the request itself.
            return e.getStatus().getCode() == Status.Code.NOT_FOUND;
        }
    }

    /** The answer waits until the store has the execution; the first frames do not. */
    private int watchAndCreate(Connection.Session server, String execution, CreateExecutionRequest request)
            throws IOException, InterruptedException {
        Context.CancellableContext watching = Context.current().withCancellation();
        Context before = watching.attach();
        try {
            Watched watched = new Watched(server, execution, BEGUN);
            PeekingIterator<WatchExecutionResponse> frames = watched.begin();
            CompletableFuture<CreateExecutionResponse> answer = CompletableFuture.supplyAsync(
                            () -> server.executions().createExecution(request))
                    .whenComplete((response, failure) -> {
                        if (failure != null) {
                            // It would be waited for in vain.
                            watching.cancel(null);
                        }
                    });
            if (output == OutputFormat.JSON) {
                // Whoever reads lines by their order finds the answer first.
                say(said(answer));
            }
            boolean begun = isBegun(frames);
            if (output != OutputFormat.JSON) {
                say(
                        begun
                                ? Objects.requireNonNull(frames.peek())
                                        .getSnapshot()
                                        .getExecution()
                                : said(answer).getExecution());
            }
            return show(answer, begun ? watched : new Watched(server, execution, BEGUN));
        } finally {
            watching.detach(before);
            watching.cancel(null);
        }
    }

    /** A request that failed is what is told, whatever became of the watch. */
    private int show(CompletableFuture<CreateExecutionResponse> answer, Watched watched)
            throws IOException, InterruptedException {
        try {
            int outcome = show(watched);
            said(answer);
            return outcome;
        } catch (StatusRuntimeException e) {
            if (Context.current().isCancelled()) {
                said(answer);
            }
            throw e;
        }
    }

    /** Whether there is a first frame; a watch that failed before it is begun again once there is an answer. */
    private static boolean isBegun(Iterator<WatchExecutionResponse> frames) {
        try {
            return frames.hasNext();
        } catch (StatusRuntimeException e) {
            return false;
        }
    }

    /** The answer, or the failure as the request had it. */
    private static CreateExecutionResponse said(CompletableFuture<CreateExecutionResponse> answer) {
        try {
            return answer.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof StatusRuntimeException refused) {
                throw refused;
            }
            throw e;
        }
    }

    private void say(CreateExecutionResponse response) {
        if (output == OutputFormat.JSON) {
            print(OutputFormat.line(response));
        } else {
            say(response.getExecution());
        }
    }

    private void say(Execution created) {
        print("%s is created; it is %s.".formatted(created.getExecutionId(), Words.phase(created.getPhase())));
    }

    private void print(String line) {
        PrintWriter out = spec.commandLine().getOut();
        out.println(line);
        out.flush();
    }

    private int show(Watched watched) throws IOException, InterruptedException {
        return WatchCommand.watch(watched, output, exitStatus, spec);
    }
}
