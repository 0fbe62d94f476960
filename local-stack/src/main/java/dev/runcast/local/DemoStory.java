package dev.runcast.local;

import dev.runcast.cli.Runcast;
import dev.runcast.runner.AttemptStanding;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Role;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;

/**
 * What the demo tells: agents run and are seen live; an attempt is killed and its successor takes over; a viewer is cut
 * and goes on; and in the end what can be read is held against what was recorded.
 */
final class DemoStory {
    private static final String SHOWN = "weekend-in-lisbon";
    private static final String CUT = "review-pull-request";
    private static final String TAKEN_OVER = "survives-its-worker";
    private static final Pattern ACKNOWLEDGED = Pattern.compile("(\\d+) updates acknowledged");
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Addresses addresses;
    private final PrintWriter out;
    private final DemoCheck check;
    // Viewers on other threads add to it too.
    private final List<String> differences = new CopyOnWriteArrayList<>();
    private final long started;

    DemoStory(Addresses addresses, PrintWriter out) {
        this.addresses = addresses;
        this.out = out;
        this.check = new DemoCheck("http://" + addresses.page());
        // Not the process's start: ./runcast may have built in it before it handed over.
        this.started = ManagementFactory.getRuntimeMXBean().getStartTime();
    }

    /** Tells all of it; what it returns differs from what it should be, and is empty when all is well. */
    List<String> tell() throws IOException, InterruptedException {
        Path recordings = Files.createTempFile("runcast-demo", ".jsonl");
        try (InputStream own = DemoStory.class.getResourceAsStream("/demo/conversations.jsonl")) {
            Files.write(recordings, own.readAllBytes());
            agentsRun(recordings);
            attemptIsReplaced();
            summary(recordings);
        } finally {
            Files.deleteIfExists(recordings);
        }
        return differences;
    }

    private void title(String text) {
        out.println();
        out.println("── " + text);
        out.println();
        out.flush();
    }

    private void agentsRun(Path recordings) throws InterruptedException {
        title("Six agents run at once. This is one of them, live; see all of them on http://" + addresses.page() + "/");
        CompletableFuture<Ran> played =
                CompletableFuture.supplyAsync(() -> command("play", recordings.toString(), "--speed", "2"));
        CompletableFuture<String> cutViewer = CompletableFuture.supplyAsync(this::watchWithCuts);
        double firstSeen = untilFirstChangeIsSeen();
        CommandLine watch = Runcast.commandLine().setOut(out);
        if (watch.execute("watch", SHOWN, "--server", addresses.api()) != 0) {
            differences.add("watch of " + SHOWN + " ended with a failure");
        }
        Ran play = played.join();
        if (play.code() != 0) {
            differences.add("play ended with a failure: " + play.output());
        }
        Matcher acknowledged = ACKNOWLEDGED.matcher(play.output());
        updates = acknowledged.find() ? Long.parseLong(acknowledged.group(1)) : 0;
        firstView = firstSeen;
        title("Meanwhile another viewer was cut off again and again, and went on with its cursor");
        out.println(cutViewer.join());
        out.flush();
    }

    private double firstView;
    private long updates;

    /** Seconds from the start of the process until a viewer saw the execution change. */
    private double untilFirstChangeIsSeen() throws InterruptedException {
        ManagedChannel channel = channel();
        try {
            Iterator<WatchExecutionResponse> frames = awaitWatch(channel, SHOWN, "");
            frames.next();
            return (System.currentTimeMillis() - started) / 1000.0;
        } finally {
            channel.shutdownNow();
        }
    }

    /** Watches to the end over many connections; what it saw must be every version once. */
    private String watchWithCuts() {
        ManagedChannel channel = channel();
        String cursor = "";
        long reached = -1;
        int cuts = 0;
        int changes = 0;
        try {
            while (true) {
                Context.CancellableContext call = Context.current().withCancellation();
                Context before = call.attach();
                try {
                    Iterator<WatchExecutionResponse> frames = awaitWatch(channel, CUT, cursor);
                    for (int frame = 0; frame < 3 && frames.hasNext(); frame++) {
                        WatchExecutionResponse next = frames.next();
                        cursor = next.getCursor().isEmpty() ? cursor : next.getCursor();
                        if (next.hasSnapshot() && next.getSnapshot().hasExecution()) {
                            if (reached >= 0) {
                                differences.add("the cut viewer was given a second snapshot");
                            }
                            reached = next.getSnapshot().getExecution().getVersion();
                        } else if (next.hasChange()) {
                            if (next.getChange().getFirstVersion() != reached + 1) {
                                differences.add("the cut viewer saw version "
                                        + next.getChange().getFirstVersion() + " after " + reached);
                            }
                            reached = next.getChange().getVersion();
                            changes++;
                        } else if (next.hasDone()) {
                            if (next.getDone().getVersion() != reached) {
                                differences.add("the cut viewer ended at version " + reached + " of "
                                        + next.getDone().getVersion());
                            }
                            return String.format(
                                    Locale.ROOT,
                                    "  %s: cut %d times, %d changes seen, up to version %d, none missing, none twice",
                                    CUT,
                                    cuts,
                                    changes,
                                    reached);
                        }
                    }
                    cuts++;
                } finally {
                    call.detach(before);
                    call.cancel(null);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        } finally {
            channel.shutdownNow();
        }
    }

    // An execution that nobody has reported yet is NOT_FOUND; the first report is on its way.
    private Iterator<WatchExecutionResponse> awaitWatch(ManagedChannel channel, String execution, String cursor)
            throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            Iterator<WatchExecutionResponse> frames = ExecutionServiceGrpc.newBlockingStub(channel)
                    .watchExecution(WatchExecutionRequest.newBuilder()
                            .setExecutionId(execution)
                            .setCursor(cursor)
                            .build());
            try {
                if (!frames.hasNext()) {
                    throw new StackException("the watch of " + execution + " ended without a frame");
                }
                return frames;
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() != Status.Code.NOT_FOUND || System.nanoTime() > deadline) {
                    throw e;
                }
                TimeUnit.MILLISECONDS.sleep(20);
            }
        }
    }

    private void attemptIsReplaced() throws IOException, InterruptedException {
        title("A worker dies in the middle; the next attempt takes over, and what the dead one still says is fenced");
        ReporterConfig config = ReporterConfig.of(addresses.ingest());
        long epoch = System.currentTimeMillis();
        StatusReporter zombieProcess = StatusReporter.open(config);
        try (StatusReporter successorProcess = StatusReporter.open(config)) {
            ExecutionReporter zombie = zombieProcess.execution(TAKEN_OVER, epoch);
            adopted(zombie);
            zombie.messageStarted("answer", Role.ROLE_AI);
            zombie.appendText("answer", "The answer is probably about to be");
            zombieProcess.flush(PATIENCE);
            out.println("  attempt 1 has said half a sentence and is heard of no more");
            ExecutionReporter successor = successorProcess.execution(TAKEN_OVER, epoch + 1);
            adopted(successor);
            successor.messageStarted("answer", Role.ROLE_AI);
            successor.appendText("answer", "The answer is 42.");
            successor.messageCompleted("answer");
            out.println("  attempt 2 takes over and says the sentence again");
            successor.completed();
            successorProcess.flush(PATIENCE);
        } finally {
            zombieProcess.close(Duration.ofSeconds(1));
        }
        if (!check.awaitEnd(TAKEN_OVER, PATIENCE)) {
            differences.add(TAKEN_OVER + " has not ended within " + PATIENCE);
        }
        fencedUpdatesAreListed(epoch);
        out.print(command("get", TAKEN_OVER, "--server", addresses.api()).output());
        out.flush();
        check.taleOfTheSuccessor(TAKEN_OVER, "The answer is 42.").ifPresent(differences::add);
    }

    // What the dead attempt says late is refused on its way in or by the merge; either way it is on record
    // when it reached the log.
    private void fencedUpdatesAreListed(long epoch) throws IOException, InterruptedException {
        check.publishAsZombie(addresses.ingest(), TAKEN_OVER, epoch);
        if (!check.awaitRejection(TAKEN_OVER, RejectionReason.REJECTION_REASON_FENCED, PATIENCE)) {
            differences.add(TAKEN_OVER + ": the late update of attempt 1 is not listed as FENCED");
        }
        Ran rejected = command("rejected", TAKEN_OVER, "--server", addresses.api());
        out.println("  attempt 1 reports again, late; `./runcast rejected " + TAKEN_OVER + "` shows");
        rejected.output().lines().forEach(line -> out.println("    " + line));
    }

    private static void adopted(ExecutionReporter attempt) throws InterruptedException {
        try {
            AttemptStanding standing = attempt.attach("runcast demo", "")
                    .toCompletableFuture()
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            if (!(standing instanceof AttemptStanding.Adopted)) {
                throw new StackException("the demo's attempt stands " + standing + " (expected: adopted)");
            }
        } catch (ExecutionException | TimeoutException e) {
            throw new StackException("the demo's attempt was not adopted within " + PATIENCE, e);
        }
    }

    private void summary(Path recordings) throws IOException, InterruptedException {
        title("All of them");
        out.print(command("list", "--server", addresses.api()).output());
        title("What was recorded, held against what GET returns");
        DemoCheck.Compared compared = check.compare(recordings);
        differences.addAll(compared.differences());
        out.printf(
                Locale.ROOT,
                "  executions                %d, each in the phase that was recorded%n"
                        + "  updates                   %d acknowledged%n"
                        + "  changes                   %d in the history, versions without a hole%n"
                        + "  messages and tool calls   %d read back: %s%n"
                        + "  first live view           %.1f s after the start of the process%n",
                compared.executions(),
                updates,
                compared.changes(),
                compared.pieces(),
                differences.isEmpty() ? "nothing differs" : differences.size() + " differ",
                firstView);
    }

    private Ran command(String... words) {
        StringWriter printed = new StringWriter();
        CommandLine commands = Runcast.commandLine().setOut(new PrintWriter(printed, true));
        List<String> all = new ArrayList<>(List.of(words));
        if (words[0].equals("play")) {
            all.add("--ingest");
            all.add(addresses.ingest());
            all.add("--server");
            all.add(addresses.api());
        }
        int code = commands.execute(all.toArray(String[]::new));
        return new Ran(code, printed.toString());
    }

    /** What became of a command. */
    private record Ran(int code, String output) {}

    private ManagedChannel channel() {
        return NettyChannelBuilder.forTarget(addresses.api()).usePlaintext().build();
    }
}
