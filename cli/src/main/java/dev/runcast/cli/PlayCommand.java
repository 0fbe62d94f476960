package dev.runcast.cli;

import dev.runcast.recording.Recording;
import dev.runcast.recording.RecordingReader;
import dev.runcast.runner.FlushResult;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.ReporterStats;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.GetExecutionRequest;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Plays recorded conversations into the pipeline, as runners would report them. */
@Command(
        name = "play",
        description = {
            "Play recorded conversations as runners would report them.",
            "",
            "A file holds JSON lines, each a conversation in OpenAI chat form with a conversation_id, which"
                    + " becomes the execution's id. An execution that has ended is left alone; one that has not"
                    + " is run again as a new attempt.",
            ""
        },
        mixinStandardHelpOptions = true)
final class PlayCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final long POLL_MILLIS = 50;

    @Mixin
    private Connection connection = new Connection();

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "Recordings, as JSON lines.")
    private List<Path> files = List.of();

    @Option(
            names = "--speed",
            paramLabel = "X",
            defaultValue = "1",
            description = "How many times faster than an agent. Default: ${DEFAULT-VALUE}.")
    private double speed;

    @Option(names = "--fast", description = "Without any pause.")
    private boolean fast;

    @Option(
            names = "--runs",
            paramLabel = "N",
            defaultValue = "1",
            description = "Play each this often; from 2 on the run's number follows the id.")
    private int runs;

    @Option(
            names = "--concurrency",
            paramLabel = "N",
            defaultValue = "16",
            description = "At most this many at once. Default: ${DEFAULT-VALUE}.")
    private int concurrency;

    @Option(names = "--suffix", paramLabel = "S", defaultValue = "", description = "Follows each execution's id.")
    private String suffix = "";

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        check(speed > 0 && speed <= 10_000, "--speed: " + speed + " (expected: more than 0, to 10000)");
        check(runs >= 1 && runs <= 100_000, "--runs: " + runs + " (expected: 1 to 100000)");
        check(concurrency >= 1 && concurrency <= 1_000, "--concurrency: " + concurrency + " (expected: 1 to 1000)");
        check(
                suffix.matches("[A-Za-z0-9_-]{0,32}"),
                "--suffix: \"" + suffix + "\" (expected: at most 32 of A-Z a-z 0-9 _ -)");
        List<Performance> performances = performances();
        ReporterConfig config = ReporterConfig.of(connection.ingest()).withToken(connection::token);
        long started = System.nanoTime();
        try (StatusReporter reporter = StatusReporter.open(config)) {
            Player player =
                    new Player(reporter, fast ? Double.POSITIVE_INFINITY : speed, PATIENCE, InstantSource.system());
            List<String> played = new ArrayList<>();
            Map<String, Integer> counts = playAll(player, performances, played);
            FlushResult flushed = reporter.flush(PATIENCE);
            boolean readable = awaitReadable(played);
            int code = summary(counts, performances.size(), flushed, reporter.stats(), started);
            return readable ? code : 1;
        }
    }

    private record Performance(Recording recording, String executionId) {}

    private List<Performance> performances() {
        List<Performance> performances = new ArrayList<>();
        for (Path file : files) {
            for (Recording recording : RecordingReader.read(file)) {
                for (int run = 1; run <= runs; run++) {
                    String id = recording.conversationId() + (runs > 1 ? "-" + run : "") + suffix;
                    check(id.length() <= 64, "execution id: " + id + " (expected: at most 64 characters)");
                    performances.add(new Performance(recording, id));
                }
            }
        }
        return performances;
    }

    private Map<String, Integer> playAll(Player player, List<Performance> performances, List<String> played)
            throws InterruptedException {
        Map<String, Integer> counts = new TreeMap<>();
        AtomicInteger done = new AtomicInteger();
        ExecutorService stage = Executors.newFixedThreadPool(Math.min(concurrency, performances.size()));
        try {
            List<Future<Player.Result>> results = new ArrayList<>();
            for (Performance performance : performances) {
                results.add(stage.submit(() -> {
                    Player.Result result = player.play(performance.recording(), performance.executionId());
                    progress(done.incrementAndGet(), performances.size());
                    return result;
                }));
            }
            for (int i = 0; i < results.size(); i++) {
                Player.Result result = results.get(i).get();
                if (result instanceof Player.Result.Played) {
                    played.add(performances.get(i).executionId());
                }
                counts.merge(word(result, performances.get(i)), 1, Integer::sum);
            }
        } catch (ExecutionException e) {
            throw new CommandFailure("playing failed: " + e.getMessage(), e);
        } finally {
            stage.shutdownNow();
            stage.awaitTermination(5, TimeUnit.SECONDS);
        }
        return counts;
    }

    /**
     * What a runner is told comes before what the store shows. Whoever types the next command expects to read what was
     * played, so the command ends when it can be read.
     */
    private boolean awaitReadable(List<String> executionIds) throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try (Connection.Session session = connection.open()) {
            for (String id : executionIds) {
                while (!readable(session, id)) {
                    if (System.nanoTime() > deadline) {
                        complain(id + " cannot be read within " + PATIENCE.toSeconds() + " s; it is in the log");
                        return false;
                    }
                    TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
                }
            }
            return true;
        } catch (StatusRuntimeException e) {
            complain("what was played is in the log, but cannot be read at " + connection.server() + ": "
                    + e.getStatus().getDescription());
            return false;
        }
    }

    private static boolean readable(Connection.Session session, String id) {
        try {
            return session.executions()
                    .getExecution(
                            GetExecutionRequest.newBuilder().setExecutionId(id).build())
                    .getExecution()
                    .hasEndedAt();
        } catch (StatusRuntimeException e) {
            if (e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return false;
            }
            throw e;
        }
    }

    private void complain(String sentence) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("runcast: " + sentence);
        err.flush();
    }

    private String word(Player.Result result, Performance performance) {
        if (result instanceof Player.Result.Played played) {
            return Words.phase(played.outcome());
        }
        if (result instanceof Player.Result.AlreadyEnded) {
            return "already ended";
        }
        if (result instanceof Player.Result.Superseded) {
            return "taken over by another attempt";
        }
        if (result instanceof Player.Result.Unconfirmed unconfirmed) {
            PrintWriter err = spec.commandLine().getErr();
            err.println("runcast: "
                    + performance.executionId()
                    + ": "
                    + unconfirmed.what()
                    + " was not confirmed within "
                    + PATIENCE.toSeconds()
                    + " s");
            err.flush();
        }
        return "not confirmed";
    }

    private void progress(int done, int all) {
        if (Terminals.interactive()) {
            PrintWriter err = spec.commandLine().getErr();
            err.printf("\r%d of %d%s", done, all, done == all ? "\n" : "");
            err.flush();
        }
    }

    private int summary(
            Map<String, Integer> counts, int executions, FlushResult flushed, ReporterStats stats, long started) {
        PrintWriter out = spec.commandLine().getOut();
        StringBuilder line = new StringBuilder(executions + " executions: ");
        String separator = "";
        for (Map.Entry<String, Integer> count : counts.entrySet()) {
            line.append(separator).append(count.getValue()).append(' ').append(count.getKey());
            separator = ", ";
        }
        out.println(line);
        out.printf(
                Locale.ROOT,
                "%d updates acknowledged in %s%n",
                stats.acked(),
                Words.seconds((System.nanoTime() - started) / 1_000_000));
        out.flush();
        return flushed.complete() && !counts.containsKey("not confirmed") ? 0 : 1;
    }

    private void check(boolean holds, String complaint) {
        if (!holds) {
            throw new ParameterException(spec.commandLine(), complaint);
        }
    }
}
