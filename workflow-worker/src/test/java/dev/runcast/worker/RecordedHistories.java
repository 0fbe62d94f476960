package dev.runcast.worker;

import dev.runcast.workflow.WorkflowIds;
import io.temporal.client.WorkflowClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Histories of workflows, one for each path, as the integration tests make them. {@code mvn -pl workflow-worker -am
 * verify -Druncast.histories.record=true} writes them anew; what they say is what running workflows have behind them, so
 * they change only together with a version in the workflow (Workflow.getVersion). A workflow that is terminated from
 * outside has none: it is told nothing and decides nothing after it, and its path up to then is that of others.
 */
public final class RecordedHistories {
    /** Where they lie. */
    public static final Path FOLDER = Path.of("src/test/resources/histories");

    private static final List<String> EXECUTIONS = List.of(
            "hello",
            "nobody",
            "fails",
            "throws-once",
            "throws-always",
            "hangs",
            "asks",
            "rejects",
            "cancel-running",
            "cancel-deaf",
            "cancel-waiting",
            "cancel-paused",
            "cancel-temporal",
            "pauses",
            "recovers",
            "recovers-asking",
            "lonely-cancelled",
            "killed",
            "forgotten",
            "blackholed",
            "long-history",
            "merge-away",
            "late-pause");

    private RecordedHistories() {}

    /** All of them. */
    public static List<Path> all() {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static void recordIfAsked(WorkflowClient client) {
        if (!Boolean.getBoolean("runcast.histories.record")) {
            return;
        }
        for (String id : EXECUTIONS) {
            try {
                Files.createDirectories(FOLDER);
                Files.writeString(
                        FOLDER.resolve(id + ".json"),
                        client.fetchHistory(WorkflowIds.of(Pipeline.TENANT, id)).toJson(true) + "\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (RuntimeException unknown) {
                // Made by another test.
            }
        }
    }
}
