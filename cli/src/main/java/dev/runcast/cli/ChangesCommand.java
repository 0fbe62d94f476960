package dev.runcast.cli;

import dev.runcast.v1.Cause;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListChangesResponse;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.TextChange;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Prints the history of an execution. */
@Command(
        name = "changes",
        description = "Print the history of an execution, version by version.",
        mixinStandardHelpOptions = true)
final class ChangesCommand implements Callable<Integer> {
    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "ID", description = "The execution, or @latest.")
    private String id = "";

    @Option(
            names = "--after",
            paramLabel = "VERSION",
            defaultValue = "0",
            description = "Only what came after this version.")
    private long after;

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
        try (Connection.Session session = connection.open()) {
            String execution = session.resolve(id);
            String page = "";
            do {
                ListChangesResponse response = session.executions()
                        .listChanges(ListChangesRequest.newBuilder()
                                .setExecutionId(execution)
                                .setAfterVersion(after)
                                .setPageSize(1000)
                                .setPageToken(page)
                                .build());
                for (Change change : response.getChangesList()) {
                    out.println(output == OutputFormat.JSON ? OutputFormat.line(change) : line(change));
                }
                out.flush();
                page = response.getNextPageToken();
            } while (!page.isEmpty());
        }
        return 0;
    }

    private static String line(Change change) {
        return String.format(
                Locale.ROOT,
                "%6d  %s  %-28s %s",
                change.getVersion(),
                Words.time(change.getReceivedAt()),
                cause(change.getCause()),
                String.join(", ", effects(change)));
    }

    private static String cause(Cause cause) {
        String kind = cause.getWriter().getKind().name().substring("WRITER_KIND_".length());
        String who = kind.toLowerCase(Locale.ROOT);
        if (!cause.getWriter().getName().isEmpty()) {
            who += ":" + cause.getWriter().getName();
        }
        return cause.hasSequence()
                ? who + " " + cause.getEpoch() + "#" + cause.getSequence()
                : who + " " + cause.getRequestId();
    }

    private static List<String> effects(Change change) {
        List<String> effects = new ArrayList<>();
        if (change.hasExecution()) {
            effects.add(Words.phase(change.getExecution()));
        }
        for (Entry entry : change.getEntriesList()) {
            effects.add(entry.getEntryId() + " " + Words.state(entry.getState()));
        }
        for (TextChange text : change.getTextsList()) {
            effects.add(
                    text.getEntryId() + "@" + text.getOffset() + " \"" + Words.shortened(text.getText(), 40) + "\"");
        }
        if (change.getOmitted() > 0) {
            effects.add(change.getOmitted() + " updates omitted by the runner");
        }
        if (change.hasRequestOutcome()) {
            RejectionReason refused = change.getRequestOutcome().getRefused();
            if (refused != RejectionReason.REJECTION_REASON_UNSPECIFIED) {
                effects.add(
                        "refused: " + Words.harmless(change.getRequestOutcome().getMessage()));
            }
        }
        return effects.isEmpty() ? List.of("nothing new") : effects;
    }
}
