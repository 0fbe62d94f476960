package dev.runcast.cli;

import com.google.protobuf.Message;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceBlockingStub;
import java.io.PrintWriter;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Asks something of one execution, and says in a sentence what came of it. */
abstract class RequestCommand implements Callable<Integer> {
    @Mixin
    private Connection connection = new Connection();

    @Parameters(index = "0", paramLabel = "ID", description = "The execution, or @latest.")
    private String id = "";

    @Option(
            names = "--request-id",
            paramLabel = "R",
            description = "Names the request: the same one again is done once and gets the same answer.")
    private String requestId = UUID.randomUUID().toString();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "For a person, or the answer as one JSON object.")
    private OutputFormat output = OutputFormat.TEXT;

    @Spec
    private CommandSpec spec;

    /**
     * What came of a request.
     *
     * @param message the server's answer
     * @param sentence the same for a person
     * @param exitCode 0, or {@link Runcast#REFUSED}
     */
    record Answer(Message message, String sentence, int exitCode) {}

    /** Asks. */
    abstract Answer ask(ExecutionServiceBlockingStub server, String execution, String requestId);

    @Override
    public Integer call() {
        try (Connection.Session session = connection.open()) {
            Answer answer = ask(session.executions(), session.resolve(id), requestId);
            PrintWriter out = spec.commandLine().getOut();
            out.println(output == OutputFormat.JSON ? OutputFormat.line(answer.message()) : answer.sentence());
            out.flush();
            return answer.exitCode();
        }
    }
}
