package dev.runcast.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Does every fault of {@link Scenarios} to a cluster under load and judges what is left.
 *
 * <p>A scenario: agents report and viewers watch new executions of a cluster that is well; the fault is done; everything
 * is healed; load and viewers come to their end; then the checker judges. The cluster is used again for the next one,
 * unless the one before failed: then it is kept as it is and another one started.
 *
 * <pre>{@code
 * FaultSuite [--seed N] [--only NAME[,NAME]] [--soak MINUTES] [--list]
 * }</pre>
 */
public final class FaultSuite {
    private static final long DEFAULT_SEED = 1;

    /** Executions that are watched, each twice. */
    private static final int WATCHED = 6;

    private static final Duration READY = Duration.ofSeconds(60);
    private static final Duration LOAD_END = Duration.ofSeconds(150);
    private static final Duration VIEWERS_END = Duration.ofSeconds(60);

    private final Path folder;
    private final Options options;
    private @Nullable Cluster cluster;
    private int clusters;
    private int passed;
    private int failed;

    /** @param callsJudged calls of the reporter that take too long are a failure, not only said */
    private record Options(long seed, List<String> only, Duration soak, boolean callsJudged) {
        static Options of(String[] arguments) {
            long seed = DEFAULT_SEED;
            List<String> only = List.of();
            Duration soak = Duration.ZERO;
            boolean callsJudged = true;
            for (int i = 0; i < arguments.length; i += 2) {
                String value = i + 1 < arguments.length ? arguments[i + 1] : "";
                switch (arguments[i]) {
                    case "--seed" -> seed = Long.parseLong(value);
                    case "--only" -> only = List.of(value.split(","));
                    case "--calls" -> callsJudged = judged(value);
                    case "--soak" -> soak = Duration.ofMinutes(Long.parseLong(value));
                    default ->
                        throw new IllegalArgumentException(arguments[i]
                                + " (expected: --seed N, --only NAME[,NAME], --calls judged|said, --soak MINUTES or"
                                + " --list)");
                }
            }
            List<String> known = Scenarios.ALL.stream().map(Scenario::name).toList();
            if (!known.containsAll(only)) {
                throw new IllegalArgumentException(
                        "--only: %s (expected: of %s, separated by commas)".formatted(only, known));
            }
            return new Options(seed, only, soak, callsJudged);
        }

        private static boolean judged(String calls) {
            return switch (calls) {
                case "judged" -> true;
                case "said" -> false;
                default ->
                    throw new IllegalArgumentException("--calls: %s (expected: judged or said)".formatted(calls));
            };
        }
    }

    private FaultSuite(Path folder, Options options) {
        this.folder = folder;
        this.options = options;
    }

    /** Prints {@code N passed, N failed} last and ends with status 0 when none has failed. */
    public static void main(String[] arguments) throws IOException {
        if (List.of(arguments).contains("--list")) {
            Scenarios.ALL.forEach(scenario -> System.out.printf("%-18s %s%n", scenario.name(), scenario.fault()));
            return;
        }
        Options options;
        try {
            options = Options.of(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(64);
            return;
        }
        // What another seed found is not overwritten.
        Path folder = Path.of(System.getProperty("runcast.faults.folder", "target/faults"), "seed-" + options.seed())
                .toAbsolutePath();
        Cluster.delete(folder);
        Files.createDirectories(folder);
        FaultSuite suite = new FaultSuite(folder, options);
        boolean green = suite.run();
        if (green) {
            suite.end();
            Cluster.delete(folder);
        }
        System.exit(green ? 0 : 1);
    }

    private boolean run() {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            end();
            // Of a cluster that was still starting.
            ProcessHandle.current().descendants().forEach(ProcessHandle::destroyForcibly);
        }));
        System.out.println("seed " + options.seed());
        if (options.soak().isZero()) {
            Scenarios.ALL.stream()
                    .filter(scenario ->
                            options.only().isEmpty() || options.only().contains(scenario.name()))
                    .forEach(scenario -> run(scenario, options.seed()));
        } else {
            soak();
        }
        System.out.printf("%d passed, %d failed%n", passed, failed);
        return failed == 0;
    }

    /** One drawn fault after the other until the time is up. */
    private void soak() {
        long until = System.nanoTime() + options.soak().toNanos();
        Random random = new Random(options.seed());
        while (System.nanoTime() - until < 0) {
            Scenario scenario = Scenarios.ALL.get(random.nextInt(Scenarios.ALL.size()));
            run(scenario, random.nextInt(1_000_000));
        }
    }

    private void run(Scenario scenario, long seed) {
        long begin = System.nanoTime();
        Path files = folder.resolve("%02d-%s".formatted(passed + failed + 1, scenario.name()));
        List<String> violations = new ArrayList<>();
        String figures = "";
        try {
            Files.createDirectories(files);
            figures = run(scenario, seed, files, violations);
        } catch (RuntimeException | IOException e) {
            violations.add("the scenario could not be run: " + e);
            e.printStackTrace();
        }
        long seconds = Duration.ofNanos(System.nanoTime() - begin).toSeconds();
        System.out.printf(
                "%-6s %-18s %3d s  %s%n", violations.isEmpty() ? "ok" : "FAILED", scenario.name(), seconds, figures);
        if (violations.isEmpty()) {
            passed++;
            Cluster.delete(files);
        } else {
            failed++;
            violations.forEach(violation -> System.out.println("  " + violation));
            System.out.printf(
                    "  seed %d; rerun: build-support/verify-faults --seed %d --only %s%n  logs and data: %s, %s%n",
                    seed, seed, scenario.name(), files, folder.resolve("cluster-" + clusters));
            end();
        }
    }

    private String run(Scenario scenario, long seed, Path files, List<String> violations) {
        Cluster running = cluster();
        String prefix = scenario.name() + '-' + (passed + failed + 1);
        ServiceProcess viewers = viewers(running, files, prefix);
        ServiceProcess load = load(running, files, prefix, seed, scenario.seconds());
        viewers.start();
        load.start();
        viewers.awaitReady(READY);
        load.awaitReady(READY);
        try {
            scenario.nemesis()
                    .strike(running, new Random(seed * 31 + scenario.name().hashCode()));
            running.heal();
            int loadStatus = load.awaitEnd(LOAD_END);
            if (loadStatus != 0) {
                violations.add("not everything that was reported was acked: the load ended with " + loadStatus);
            }
            int viewersStatus = viewers.awaitEnd(VIEWERS_END);
            if (viewersStatus != 0) {
                violations.add("not every viewer reached the end: the viewers ended with " + viewersStatus);
            }
        } finally {
            load.kill();
            viewers.kill();
        }
        Aftermath aftermath = new Aftermath(running, files, prefix);
        violations.addAll(aftermath.openTransactions());
        History history = aftermath.gather();
        violations.addAll(Checker.check(history));
        CallTimes.Summary calls = CallTimes.Summary.read(files.resolve("calls"));
        if (options.callsJudged()) {
            violations.addAll(calls.violations());
        }
        return Checker.scope(history) + "; " + calls;
    }

    private ServiceProcess viewers(Cluster running, Path files, String prefix) {
        List<String> arguments = new ArrayList<>(List.of(
                files.toString(), Integer.toString(running.apiHttpPort), Integer.toString(running.apiGrpcPort)));
        IntStream.range(0, WATCHED).forEach(i -> arguments.add(LoadMain.executionId(prefix, i, i % 2)));
        return ServiceProcess.own("viewers", WatchMain.class, 96, files, arguments);
    }

    private static ServiceProcess load(Cluster running, Path files, String prefix, long seed, int seconds) {
        List<String> arguments = List.of(
                files.toString(),
                Integer.toString(running.toIngest.port()),
                prefix,
                Long.toString(seed),
                Integer.toString(seconds));
        ServiceProcess load = ServiceProcess.own(
                "load",
                LoadMain.class,
                640,
                files,
                arguments,
                // No collection falls into a run: how long one takes is told by the cores that are free.
                "-Xmn512m",
                // So each page would be touched for the first time in a run, by whoever allocates then; where a host
                // gives memory back slowly that costs milliseconds of the thread's own time.
                "-Xms640m",
                "-XX:+AlwaysPreTouch",
                // No thread waits for the compiler: handing over a hot method takes locks of the JVM's own, and one
                // of its threads that held a lock and had no core kept agents for up to 12 ms.
                "-Xint",
                "-Xlog:safepoint=info:file=" + files.resolve("safepoints") + ":timenanos:filecount=0");
        // A runner has a machine of its own; here ten processes share its cores.
        return load.first();
    }

    private Cluster cluster() {
        if (cluster == null) {
            clusters++;
            cluster = Cluster.start(folder.resolve("cluster-" + clusters));
        }
        return cluster;
    }

    private synchronized void end() {
        if (cluster != null) {
            cluster.close();
            cluster = null;
        }
    }
}
