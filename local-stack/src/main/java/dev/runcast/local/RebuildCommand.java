package dev.runcast.local;

import dev.runcast.cli.CommandFailure;
import dev.runcast.cli.OutputFormat;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.sink.Finding.Verdict;
import dev.runcast.sink.Rebuild;
import dev.runcast.sink.RebuildException;
import dev.runcast.sink.RebuildReport;
import dev.runcast.sink.SinkGroup;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.topics.ClientSettings;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Makes the store again from the log, or proves that it is what the log makes. Exit codes besides those of all
 * commands: 3 when the store and the log are not equal.
 */
@Command(
        name = "rebuild",
        description = {
            "Compare the store with what the log of updates makes, and replace what differs.",
            "Works on the folder of a stack that is stopped, on a running stack (only --verify), or on servers that are"
                    + " given. Exit codes: 0 all is equal or was mended, 1 failed, 2 wrong usage, 3 not equal."
        },
        mixinStandardHelpOptions = true)
final class RebuildCommand implements Callable<Integer> {
    static final int NOT_EQUAL = 3;
    /** The sink writes what is committed, which is once a second. */
    private static final Duration PATIENCE = Duration.ofSeconds(15);

    private static final int SHOWN = 100;

    @Mixin
    private ServerOptions servers = new ServerOptions();

    @Option(names = "--verify", description = "Only compare.")
    private boolean verify;

    @Option(
            names = "--sink-group",
            paramLabel = "NAME",
            defaultValue = "runcast-sink",
            description =
                    "The sink's runcast.sink.group, by which it is seen whether one runs (default: ${DEFAULT-VALUE}).")
    private String sinkGroup = "runcast-sink";

    @Option(
            names = "--damage",
            paramLabel = "EXECUTION",
            description = "For drills: change one byte of one stored document of this execution ([TENANT/]ID), say"
                    + " which, and do nothing else.")
    @Nullable
    private String damage;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "text|json",
            defaultValue = "text",
            description = "For a person, or one JSON object.")
    private OutputFormat output = OutputFormat.TEXT;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        PrintWriter err = spec.commandLine().getErr();
        try (RebuildServers on = RebuildServers.open(servers.toStackOptions(), line -> say(err, line));
                MongoExecutionStore store = MongoExecutionStore.connect(on.mongo())) {
            return damage == null ? rebuild(on, store, err) : damage(store, damage);
        } catch (StackException | RebuildException e) {
            throw new CommandFailure(String.valueOf(e.getMessage()), e);
        }
    }

    private int rebuild(RebuildServers on, MongoExecutionStore store, PrintWriter err) {
        ClientSettings kafka = new ClientSettings(on.kafka());
        if (!verify && !on.alone()) {
            SinkGroup.requireNone(kafka, sinkGroup);
        }
        RebuildProgress progress = new RebuildProgress(err);
        Rebuild rebuild = new Rebuild(kafka, store, verify && !on.alone() ? PATIENCE : Duration.ZERO);
        RebuildReport report = verify ? rebuild.verify(progress) : rebuild.replace(progress);
        progress.end();
        boolean notInLog = report.count(Verdict.NOT_IN_LOG) > 0;
        if (verify ? report.allEqual() : !notInLog) {
            on.repaired();
        }
        PrintWriter out = spec.commandLine().getOut();
        if (output == OutputFormat.JSON) {
            out.println(RebuildWords.json(report));
        } else {
            RebuildWords.print(report, verify, SHOWN, out);
        }
        out.flush();
        return report.allEqual() || !verify && !notInLog ? 0 : NOT_EQUAL;
    }

    private int damage(MongoExecutionStore store, String execution) {
        ExecutionKey key =
                execution.indexOf('/') < 0 ? new ExecutionKey("default", execution) : ExecutionKey.parse(execution);
        String what = store.damage(key, new Random()).block();
        if (what == null) {
            throw new CommandFailure("%s: not in the store (expected: one that is)".formatted(key));
        }
        PrintWriter out = spec.commandLine().getOut();
        out.println("damaged " + what);
        out.flush();
        return 0;
    }

    private static void say(PrintWriter err, String line) {
        synchronized (err) {
            err.println("  " + line);
            err.flush();
        }
    }
}
