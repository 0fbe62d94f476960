package dev.runcast.cli;

import dev.runcast.v1.ListRejectedUpdatesRequest;
import dev.runcast.v1.ListRejectedUpdatesResponse;
import dev.runcast.v1.RejectedUpdate;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the updates of an execution that were not applied. */
@Command(
        name = "rejected",
        description = "Print the updates of an execution that were not applied, newest first.",
        mixinStandardHelpOptions = true)
final class RejectedCommand implements Callable<Integer> {
    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "ID", description = "The execution, or @latest.")
    private String id = "";

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
        boolean any = false;
        try (Connection.Session session = connection.open()) {
            String execution = session.resolve(id);
            String page = "";
            do {
                ListRejectedUpdatesResponse response = session.executions()
                        .listRejectedUpdates(ListRejectedUpdatesRequest.newBuilder()
                                .setExecutionId(execution)
                                .setPageSize(1000)
                                .setPageToken(page)
                                .build());
                for (RejectedUpdate rejected : response.getRejectedUpdatesList()) {
                    any = true;
                    out.println(output == OutputFormat.JSON ? OutputFormat.line(rejected) : line(rejected));
                }
                page = response.getNextPageToken();
            } while (!page.isEmpty());
        }
        if (!any && output == OutputFormat.TEXT) {
            out.println("nothing was rejected");
        }
        out.flush();
        return 0;
    }

    private static String line(RejectedUpdate rejected) {
        String name =
                rejected.hasSequence() ? rejected.getEpoch() + "#" + rejected.getSequence() : rejected.getRequestId();
        return String.format(
                Locale.ROOT,
                "%s  %-16s %-26s %4d x %-18s %s  (partition %d offset %d)",
                Words.time(rejected.getReceivedAt()),
                rejected.getReason().name().substring("REJECTION_REASON_".length()),
                name,
                rejected.getCount(),
                rejected.getChangeKind(),
                Words.harmless(rejected.getMessage()),
                rejected.getPartition(),
                rejected.getOffset());
    }
}
