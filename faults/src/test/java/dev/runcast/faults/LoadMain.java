package dev.runcast.faults;

import dev.runcast.runner.FlushResult;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Progress;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The load as a process: {@code FOLDER PORT PREFIX SEED SECONDS}. Agents report executions for so many seconds, then
 * wait until everything is durable. Leaves in the folder what was sent, what was acked, what the agents reported, and
 * how long the reporter's calls took. Ends with status 0 when everything was acked.
 */
final class LoadMain {
    static final int AGENTS = 12;

    private static final Duration CLOSE = Duration.ofSeconds(90);

    private final Path folder;
    private final int port;
    private final String prefix;
    private final long seed;
    private final Duration duration;
    private final CallTimes times = new CallTimes();

    private LoadMain(String[] arguments) {
        this.folder = Path.of(arguments[0]);
        this.port = Integer.parseInt(arguments[1]);
        this.prefix = arguments[2];
        this.seed = Long.parseLong(arguments[3]);
        this.duration = Duration.ofSeconds(Integer.parseInt(arguments[4]));
    }

    /** The name of an agent's execution. */
    static String executionId(String prefix, int agent, int number) {
        return prefix + "-a" + agent + '-' + number;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        LoadMain load = new LoadMain(arguments);
        load.warmUp();
        FrameTap.install(load.folder);
        Path pauses = load.folder.resolve("pauses");
        Process corePauses = watchCores(pauses);
        boolean complete = load.run();
        if (corePauses != null) {
            corePauses.destroy();
        }
        load.times.write(load.folder.resolve("calls"), load.folder.resolve("safepoints"), pauses);
        Runtime.getRuntime().halt(complete ? 0 : 1);
    }

    /** Null where it cannot be run, as without Python; then no pause is known of, and none is taken off. */
    private static @Nullable Process watchCores(Path pauses) {
        try {
            return new ProcessBuilder("build-support/core-pauses")
                    .redirectOutput(pauses.toFile())
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            System.out.println("pauses of the cores are not known: " + e.getMessage());
            return null;
        }
    }

    /** An agent's first calls load classes. That is a cost of the JVM's start, not of reporting, and is not counted. */
    private void warmUp() {
        Path nowhere = folder.resolve("warm-up");
        try (StatusReporter reporter = StatusReporter.open(config(1));
                CallTimes.Agent calls = times.agent();
                Records unread = Records.append(nowhere)) {
            new Agent(reporter, calls, unread, new Random(seed)).runEachOnce("warm-up");
            reporter.close(Duration.ZERO);
        }
        times.reset();
    }

    private boolean run() throws InterruptedException {
        System.out.println("ready");
        Records reported = Records.append(folder.resolve("reported"));
        StatusReporter reporter = StatusReporter.open(config(port));
        List<Thread> agents = new ArrayList<>();
        long until = System.nanoTime() + duration.toNanos();
        for (int i = 0; i < AGENTS; i++) {
            int agent = i;
            agents.add(new Thread(() -> work(reporter, reported, agent, until), "agent-" + i));
        }
        Thread single = new Thread(() -> singleCalls(until), "single-calls");
        single.start();
        agents.forEach(Thread::start);
        for (Thread agent : agents) {
            agent.join();
        }
        FlushResult result = reporter.close(CLOSE);
        single.join(CLOSE.toMillis());
        System.out.println("closed: " + result + ' ' + reporter.stats());
        return result.complete() && !single.isAlive();
    }

    private void work(StatusReporter reporter, Records reported, int agent, long until) {
        Random random = new Random(seed * 31 + agent);
        try (CallTimes.Agent calls = times.agent()) {
            Agent works = new Agent(reporter, calls, reported, random);
            for (int number = 0; number < 2 || System.nanoTime() - until < 0; number++) {
                long left = Math.max(1_000, TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime()));
                // The first two share what there is, so that each agent has two whichever is drawn.
                long most = number == 0 ? left * 2 / 3 : left;
                long millis = Math.min(most, 2_000 + random.nextInt((int) duration.toMillis()));
                works.run(executionId(prefix, agent, number), Duration.ofMillis(millis));
            }
        }
    }

    /** Reports one execution as a script does: a call an update, each named, and repeated until it is answered. */
    private void singleCalls(long until) {
        ManagedChannel channel =
                NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
        int number = 0;
        for (; System.nanoTime() - until < 0; number++) {
            single(
                    channel,
                    number,
                    Update.newBuilder()
                            .setExecutionPatched(ExecutionPatched.newBuilder()
                                    .setProgress(Progress.newBuilder().setPercent(number % 101)))
                            .build());
            Await.pause(Duration.ofMillis(200));
        }
        single(
                channel,
                number,
                Update.newBuilder()
                        .setPhaseChanged(PhaseChanged.newBuilder().setPhase(Phase.PHASE_COMPLETED))
                        .build());
        channel.shutdownNow();
    }

    private void single(ManagedChannel channel, int number, Update update) {
        PublishUpdateRequest request = PublishUpdateRequest.newBuilder()
                .setBatch(UpdateBatch.newBuilder()
                        .setExecutionId(prefix + "-single")
                        .setWriter(Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER))
                        .setRequestId("r" + number)
                        .addUpdates(update))
                .build();
        while (true) {
            try {
                IngestServiceGrpc.newBlockingStub(channel)
                        .withDeadlineAfter(3, TimeUnit.SECONDS)
                        .publishUpdate(request);
                return;
            } catch (StatusRuntimeException notNow) {
                channel.resetConnectBackoff();
                Await.pause(Duration.ofMillis(200));
            }
        }
    }

    private static ReporterConfig config(int port) {
        return ReporterConfig.of("127.0.0.1:" + port)
                .withAttemptTimeouts(Duration.ofSeconds(3), Duration.ofSeconds(8))
                .withBackoff(Duration.ofMillis(50), Duration.ofSeconds(2));
    }
}
