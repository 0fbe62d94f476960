package dev.runcast.cli;

import dev.runcast.v1.Execution;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.ListExecutionsResponse;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Lists executions, newest first. */
@Command(name = "list", description = "List executions, newest first.", mixinStandardHelpOptions = true)
final class ListCommand implements Callable<Integer> {
    private static final int PAGE = 200;
    private static final String ROW = "%-36s %-20s %8s  %-20s %s%n";

    @Mixin
    private Connection connection = new Connection();

    @Option(
            names = "--filter",
            paramLabel = "EXPRESSION",
            defaultValue = "",
            description = "Which ones, for example: phase = RUNNING AND labels.team = \"search\".")
    private String filter = "";

    @Option(
            names = {"-n", "--limit"},
            paramLabel = "N",
            defaultValue = "50",
            description = "At most this many; 0 means all. Default: ${DEFAULT-VALUE}.")
    private int limit;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "For a person, or JSON lines.")
    private OutputFormat output = OutputFormat.TEXT;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        int left = limit == 0 ? Integer.MAX_VALUE : limit;
        try (Connection.Session session = connection.open()) {
            String page = "";
            do {
                ListExecutionsResponse response = session.executions()
                        .listExecutions(ListExecutionsRequest.newBuilder()
                                .setFilter(filter)
                                .setPageSize(Math.min(PAGE, left))
                                .setPageToken(page)
                                .build());
                // Not before there is an answer: a heading over an error reads like an empty list.
                if (output == OutputFormat.TEXT && page.isEmpty()) {
                    out.printf(ROW, "EXECUTION", "PHASE", "VERSION", "AGENT", "CREATED");
                }
                for (Execution execution : response.getExecutionsList()) {
                    if (output == OutputFormat.JSON) {
                        out.println(OutputFormat.line(execution));
                    } else {
                        out.printf(
                                ROW,
                                execution.getExecutionId(),
                                Words.phase(execution),
                                execution.getVersion(),
                                Words.shortened(execution.getSpec().getAgent(), 20),
                                Words.second(execution.getCreatedAt()));
                    }
                }
                left -= response.getExecutionsCount();
                page = response.getNextPageToken();
                out.flush();
            } while (left > 0 && !page.isEmpty());
        }
        return 0;
    }
}
