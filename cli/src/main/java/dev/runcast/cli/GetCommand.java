package dev.runcast.cli;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.GetExecutionRequest;
import dev.runcast.v1.ListEntriesRequest;
import dev.runcast.v1.ListEntriesResponse;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints one execution and its entries. */
@Command(name = "get", description = "Print one execution and its entries.", mixinStandardHelpOptions = true)
final class GetCommand implements Callable<Integer> {
    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "ID", description = "The execution, or @latest.")
    private String id = "";

    @Option(
            names = "--at",
            paramLabel = "VERSION",
            defaultValue = "0",
            description = "As it was at this version; 0 means now.")
    private long atVersion;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "For a person, or one JSON object with the keys execution and entries.")
    private OutputFormat output = OutputFormat.TEXT;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        try (Connection.Session session = connection.open()) {
            String name = session.resolve(id);
            Execution execution = session.executions()
                    .getExecution(GetExecutionRequest.newBuilder()
                            .setExecutionId(name)
                            .setAtVersion(atVersion)
                            .build())
                    .getExecution();
            List<Entry> entries = entries(session, name);
            if (output == OutputFormat.JSON) {
                json(out, execution, entries);
            } else {
                text(out, execution, entries);
            }
        }
        out.flush();
        return 0;
    }

    private List<Entry> entries(Connection.Session session, String name) {
        List<Entry> entries = new ArrayList<>();
        String page = "";
        do {
            ListEntriesResponse response = session.executions()
                    .listEntries(ListEntriesRequest.newBuilder()
                            .setExecutionId(name)
                            .setAtVersion(atVersion)
                            .setPageSize(1000)
                            .setPageToken(page)
                            .build());
            entries.addAll(response.getEntriesList());
            page = response.getNextPageToken();
        } while (!page.isEmpty());
        return entries;
    }

    private static void json(PrintWriter out, Execution execution, List<Entry> entries) {
        out.print("{\n\"execution\": " + OutputFormat.indented(execution) + ",\n\"entries\": [");
        String separator = "\n";
        for (Entry entry : entries) {
            out.print(separator + OutputFormat.indented(entry));
            separator = ",\n";
        }
        out.println("\n]\n}");
    }

    private static void text(PrintWriter out, Execution execution, List<Entry> entries) {
        out.println(execution.getExecutionId() + "  " + Words.phase(execution));
        row(out, "reason", execution.getReason());
        if (execution.hasFailure()) {
            row(out, "failure", Words.failure(execution.getFailure()));
        }
        row(out, "agent", execution.getSpec().getAgent());
        row(out, "session", execution.getSpec().getSessionId());
        row(out, "version", Long.toString(execution.getVersion()));
        row(out, "attempts", Integer.toString(execution.getAttempts()));
        row(out, "worker", execution.getAttempt().getWorker());
        row(out, "created", Words.time(execution.getCreatedAt()));
        if (execution.hasEndedAt()) {
            row(
                    out,
                    "ended",
                    Words.time(execution.getEndedAt())
                            + " after "
                            + Words.seconds(Timestamps.toMillis(execution.getEndedAt())
                                    - Timestamps.toMillis(execution.getCreatedAt())));
        }
        if (!execution.getAttributes().getLabelsMap().isEmpty()) {
            row(out, "labels", Words.labels(execution.getAttributes().getLabelsMap()));
        }
        if (execution.getTotals().getOmittedUpdates() > 0) {
            row(out, "omitted", execution.getTotals().getOmittedUpdates() + " updates left out");
        }
        out.println();
        Transcript transcript = new Transcript(entries);
        // What runs on has taken until now, not until it was last heard of.
        Timestamp now = execution.hasEndedAt() ? execution.getUpdatedAt() : Timestamps.now();
        for (Entry entry : transcript.inOrder()) {
            transcript.lines(entry, now).forEach(out::println);
        }
    }

    private static void row(PrintWriter out, String name, String value) {
        if (!value.isEmpty()) {
            out.printf("  %-9s %s%n", name, Words.harmless(value));
        }
    }
}
