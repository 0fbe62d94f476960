package dev.runcast.local;

import dev.runcast.cli.CommandFailure;
import dev.runcast.cli.LocalStackFile;
import dev.runcast.worker.WorkflowWorkerApplication;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.springframework.context.ConfigurableApplicationContext;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs agents, in a process of its own: it may be killed, and others take over what it ran. */
@Command(
        name = "worker",
        description = "Run agents in this process, for a stack that runs beside it, until Ctrl-C or SIGTERM.",
        mixinStandardHelpOptions = true)
final class WorkerCommand implements Callable<Integer> {
    @Option(
            names = "--temporal",
            paramLabel = "HOST:PORT",
            description = "A Temporal server (default: that of the running stack).")
    @Nullable
    private String temporal;

    @Option(
            names = "--ingest",
            paramLabel = "HOST:PORT",
            description = "The runners' door (default: that of the running stack).")
    @Nullable
    private String ingest;

    @Option(
            names = "--agents",
            paramLabel = "DIR",
            description = "Where agents lie (default: agents in the running stack's data folder).")
    @Nullable
    private Path agents;

    @Option(
            names = "--threads",
            paramLabel = "DIR",
            description = "Where agents keep their progress; all workers of one queue share it"
                    + " (default: threads in the running stack's data folder).")
    @Nullable
    private Path threads;

    @Option(
            names = "--token",
            paramLabel = "TOKEN",
            description = "Who reports (RUNCAST_TOKEN; default: nobody, for a door without tokens).")
    @Nullable
    private String token;

    @Option(
            names = "--tenant",
            paramLabel = "TENANT",
            description = "Whose token it is; agents of other tenants are not run (default: ${DEFAULT-VALUE}).")
    private String tenant = "default";

    @Option(names = "--speed", paramLabel = "FACTOR", description = "How many times faster than scripted (default: 1).")
    private double speed = 1;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        StackLog.intoTerminal();
        Properties stack = LocalStackFile.read();
        String server = given(temporal, stack, Addresses.TEMPORAL, "--temporal");
        String data = stack.getProperty(Addresses.DATA, "data");
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.main.web-application-type=none",
                "--runcast.worker.workflows=false",
                "--spring.temporal.connection.target=" + server,
                "--runcast.runner.ingest=" + given(ingest, stack, LocalStackFile.INGEST_GRPC, "--ingest"),
                "--runcast.runner.agents=" + (agents == null ? Path.of(data, "agents") : agents),
                "--runcast.runner.threads=" + (threads == null ? Path.of(data, "threads") : threads),
                "--runcast.runner.speed=" + speed));
        String bearer = token == null ? System.getenv("RUNCAST_TOKEN") : token;
        if (bearer != null) {
            arguments.add("--runcast.runner.tokens[" + tenant + "]=" + bearer);
        }
        ConfigurableApplicationContext worker;
        try {
            worker = WorkflowWorkerApplication.builder()
                    .registerShutdownHook(false)
                    .run(arguments.toArray(String[]::new));
        } catch (RuntimeException e) {
            throw new CommandFailure("the worker cannot start: " + LocalStack.sentence(e), e);
        }
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime()
                .addShutdownHook(new Thread(
                        () -> {
                            worker.close();
                            stopped.countDown();
                        },
                        "runcast-stop"));
        PrintWriter out = spec.commandLine().getOut();
        out.println("Runs agents for Temporal " + server + " until Ctrl-C; process "
                + ProcessHandle.current().pid());
        out.flush();
        stopped.await();
        return 0;
    }

    private static String given(@Nullable String option, Properties stack, String key, String name) {
        String address = option == null ? stack.getProperty(key, "") : option;
        if (address.isEmpty()) {
            throw new CommandFailure("no stack runs here: start ./runcast up, or give " + name + " HOST:PORT");
        }
        return address;
    }
}
