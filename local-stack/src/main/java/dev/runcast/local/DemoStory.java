package dev.runcast.local;

import dev.runcast.cli.Runcast;
import dev.runcast.local.DemoAgents.Recorded;
import dev.runcast.v1.RejectionReason;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import picocli.CommandLine;

/**
 * What the demo tells: workflows run agents that are seen live; a viewer is cut and goes on; a run waits for a person,
 * one is held and cancelled, one fails and is recovered, one survives the kill of its worker; and in the end what can be
 * read is held against what was recorded, and each run's phases against those that it has to go through.
 */
final class DemoStory {
    private static final String SHOWN = "weekend-in-lisbon";
    private static final String CUT = "review-pull-request";
    private static final String ASKS = "night-train-tickets";
    private static final String CANCELLED = "archive-crawl";
    private static final String FAILS = "ledger-import";
    private static final String TAKEN_OVER = "survives-its-worker";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** How long the demo waits for a person, when it has to end. */
    private static final Duration FOR_A_PERSON = Duration.ofSeconds(5);

    private final LocalStack stack;
    private final Addresses addresses;
    private final boolean decides;
    private final PrintWriter out;
    private final DemoCheck check;
    // Viewers on other threads add to it too.
    private final List<String> differences = new CopyOnWriteArrayList<>();
    private final long started;
    private double firstView;
    private long asked;
    private long peakBytes;

    /** @param decides whether the demo decides when no person does in time; else the run goes on waiting */
    DemoStory(LocalStack stack, boolean decides, PrintWriter out) {
        this.stack = stack;
        this.addresses = stack.addresses();
        this.decides = decides;
        this.out = out;
        this.check = new DemoCheck("http://" + addresses.page());
        // Not the process's start: ./runcast may have built in it before it handed over.
        this.started = ManagementFactory.getRuntimeMXBean().getStartTime();
    }

    /** What the services of its stack are told: agents do not dawdle, and a dead worker is noticed soon. */
    static void settings(StackOptions options) {
        options.workflows =
                List.of("--runcast.workflow.heartbeat-timeout=4s", "--runcast.workflow.retry-interval=100ms");
        options.agents = List.of("--runcast.runner.speed=2");
    }

    /** Tells all of it; what it returns differs from what it should be, and is empty when all is well. */
    List<String> tell() throws IOException, InterruptedException {
        List<Recorded> recorded = DemoAgents.into(addresses.data().resolve("agents"));
        Path recordings = Files.createTempFile("runcast-demo", ".jsonl");
        try (DemoViewer viewer = new DemoViewer(addresses, differences)) {
            Files.write(recordings, DemoAgents.conversations());
            agentsRun(recorded, viewer);
            // It starts beside the rest of the story, and takes part in it until it is killed.
            try (DemoWorker worker = DemoWorker.start(addresses)) {
                aRunWaitsForAPerson();
                aRunIsHeldAndCancelled();
                aRunFailsAndIsRecovered();
                if (decides) {
                    theDemoDecides();
                }
                aWorkerIsKilled(worker);
            }
            summary(recordings);
        } finally {
            Files.deleteIfExists(recordings);
        }
        return differences;
    }

    /** The most that was resident at once, in bytes, the other worker's process included. */
    long peakBytes() {
        return Math.max(peakBytes, ResidentMemory.ofThisProcessAndItsChildren());
    }

    private void agentsRun(List<Recorded> recorded, DemoViewer viewer) throws InterruptedException {
        title("Workflows start nine agents. This is one of them, live; see all of them on http://" + addresses.page()
                + "/");
        List<CompletableFuture<Void>> created = new ArrayList<>();
        for (Recorded each : recorded) {
            List<String> words = new ArrayList<>(List.of(
                    "create",
                    each.agent(),
                    "--id",
                    each.execution(),
                    "--session",
                    each.session(),
                    "--input",
                    each.input()));
            each.labels().forEach(label -> words.addAll(List.of("--label", label)));
            created.add(CompletableFuture.runAsync(() -> well(words.toArray(String[]::new))));
        }
        created.add(CompletableFuture.runAsync(() -> well("create", "booking-agent", "--id", ASKS)));
        created.add(CompletableFuture.runAsync(() -> well("create", "archivist", "--id", CANCELLED)));
        created.add(CompletableFuture.runAsync(() -> well("create", "bookkeeper", "--id", FAILS)));
        CompletableFuture<String> cutViewer = CompletableFuture.supplyAsync(() -> {
            try (DemoViewer cut = new DemoViewer(addresses, differences)) {
                return cut.watchWithCuts(CUT);
            } catch (InterruptedException e) {
                throw new CompletionException(e);
            }
        });
        viewer.seeFirst(SHOWN);
        firstView = (System.currentTimeMillis() - started) / 1000.0;
        CommandLine watch = Runcast.commandLine().setOut(out);
        if (watch.execute("watch", SHOWN, "--server", addresses.api()) != 0) {
            differences.add("watch of " + SHOWN + " ended with a failure");
        }
        created.forEach(CompletableFuture::join);
        title("Meanwhile another viewer was cut off again and again, and went on with its cursor");
        out.println(cutViewer.join());
        out.flush();
    }

    private void aRunWaitsForAPerson() throws IOException, InterruptedException {
        title("A run waits for a person; nothing runs meanwhile, and no slot is taken");
        reaches(ASKS, "WAITING_FOR_APPROVAL");
        asked = System.nanoTime();
        out.println("  " + ASKS + " wants to buy two seats for 178 euros: ./runcast approve " + ASKS + ", or reject");
        out.println(
                decides
                        ? "  the story goes on; when nobody has decided in " + FOR_A_PERSON.toSeconds()
                                + " s, the demo decides"
                        : "  it waits for you, here or on the page; the story goes on");
        out.flush();
    }

    private void theDemoDecides() throws IOException, InterruptedException {
        title("The run that waits is decided");
        Duration left = FOR_A_PERSON.minusNanos(System.nanoTime() - asked);
        if (check.await(left, () -> !check.phase(ASKS).equals("WAITING_FOR_APPROVAL"))) {
            out.println("  somebody was faster than the demo");
        } else {
            said(command("approve", ASKS));
        }
        reaches(ASKS, "COMPLETED");
        out.println("  " + ASKS + " is COMPLETED");
        out.flush();
    }

    /** Waits for the person who decides; to be called when the story is told. */
    void untilThePersonDecides() throws IOException, InterruptedException {
        while (!check.await(PATIENCE, () -> !check.phase(ASKS).equals("WAITING_FOR_APPROVAL"))) {
            // A person may take days.
        }
        reaches(ASKS, "COMPLETED");
        out.println(ASKS + " went on: " + String.join(" → ", check.phases(ASKS)));
        out.flush();
    }

    private void aRunIsHeldAndCancelled() throws IOException, InterruptedException {
        title("A run is held, goes on, and is cancelled; its agent is told");
        reaches(CANCELLED, "RUNNING");
        said(command("pause", CANCELLED));
        said(command("resume", CANCELLED));
        long cancelled = System.nanoTime();
        said(command("cancel", CANCELLED, "--reason", "no longer needed"));
        reaches(CANCELLED, "CANCELLED");
        out.printf(
                Locale.ROOT,
                "  CANCELLED can be read %.1f s after it was asked for%n",
                (System.nanoTime() - cancelled) / 1_000_000_000.0);
        out.flush();
    }

    private void aRunFailsAndIsRecovered() throws IOException, InterruptedException {
        title("A run fails, and goes on where it stopped when a person recovers it");
        reaches(FAILS, "FAILED");
        out.println("  " + FAILS + " has FAILED: " + check.failure(FAILS));
        said(command("recover", FAILS));
        reaches(FAILS, "COMPLETED");
        out.println("  " + FAILS + " is COMPLETED");
        out.flush();
    }

    private void aWorkerIsKilled(DemoWorker worker) throws IOException, InterruptedException {
        title("A worker dies in the middle; the next attempt takes over, and what the dead one still says is fenced");
        // From here on only the process that is about to die takes work.
        stack.stop(LocalStack.Service.AGENTS);
        well("create", "solver", "--id", TAKEN_OVER);
        if (!check.await(PATIENCE, () -> check.runsTool(TAKEN_OVER, "deep_thought"))) {
            differences.add(TAKEN_OVER + " does not run within " + PATIENCE);
        }
        long epoch = check.epoch(TAKEN_OVER);
        peakBytes = ResidentMemory.ofThisProcessAndItsChildren();
        out.println("  attempt 1 calls a tool in worker process " + worker.pid() + "; kill -9 " + worker.pid());
        out.flush();
        long killed = System.nanoTime();
        worker.kill();
        stack.start(LocalStack.Service.AGENTS);
        reaches(TAKEN_OVER, "COMPLETED");
        out.printf(
                Locale.ROOT,
                "  attempt 2 has called it again and come to the end, %.1f s after the kill%n",
                (System.nanoTime() - killed) / 1_000_000_000.0);
        check.publishAsZombie(addresses.ingest(), TAKEN_OVER, epoch);
        if (!check.awaitRejection(TAKEN_OVER, RejectionReason.REJECTION_REASON_FENCED, PATIENCE)) {
            differences.add(TAKEN_OVER + ": the late update of attempt 1 is not listed as FENCED");
        }
        out.println("  attempt 1 reports again, late; `./runcast rejected " + TAKEN_OVER + "` shows");
        command("rejected", TAKEN_OVER).output().lines().forEach(line -> out.println("    " + line));
        out.print(command("get", TAKEN_OVER).output());
        out.flush();
        check.taleOfTheSuccessor(TAKEN_OVER, "The answer is 42.").ifPresent(differences::add);
    }

    private void summary(Path recordings) throws IOException, InterruptedException {
        title("All of them, and the phases they went through");
        out.print(command("list").output());
        out.println();
        boolean decided = !check.phase(ASKS).equals("WAITING_FOR_APPROVAL");
        went(
                ASKS,
                decided
                        ? List.of("PENDING", "RUNNING", "WAITING_FOR_APPROVAL", "RUNNING", "COMPLETED")
                        : List.of("PENDING", "RUNNING", "WAITING_FOR_APPROVAL"));
        went(CANCELLED, List.of("PENDING", "RUNNING", "PAUSED", "RUNNING", "CANCELLED"));
        went(FAILS, List.of("PENDING", "RUNNING", "FAILED", "PENDING", "RUNNING", "COMPLETED"));
        went(TAKEN_OVER, List.of("PENDING", "RUNNING", "COMPLETED"));
        title("What was recorded, held against what GET returns");
        DemoCheck.Compared compared = check.compare(recordings);
        differences.addAll(compared.differences());
        out.printf(
                Locale.ROOT,
                "  executions                %d, each in the phase that was recorded%n"
                        + "  changes                   %d in the history, versions without a hole%n"
                        + "  messages and tool calls   %d read back: %s%n"
                        + "  first live view           %.1f s after the start of the process%n",
                compared.executions(),
                compared.changes(),
                compared.pieces(),
                differences.isEmpty() ? "nothing differs" : differences.size() + " differ",
                firstView);
    }

    private void went(String execution, List<String> expected) throws IOException, InterruptedException {
        List<String> phases = check.phases(execution);
        out.printf(Locale.ROOT, "  %-22s %s%n", execution, String.join(" → ", phases));
        if (!phases.equals(expected)) {
            differences.add(execution + ": " + phases + " (expected: " + expected + ")");
        }
    }

    private void reaches(String execution, String phase) throws IOException, InterruptedException {
        if (!check.await(PATIENCE, () -> check.phase(execution).equals(phase))) {
            differences.add(
                    execution + ": " + check.phase(execution) + " (expected: " + phase + " within " + PATIENCE + ")");
        }
    }

    private void title(String text) {
        out.println();
        out.println("── " + text);
        out.println();
        out.flush();
    }

    /** Prints what a command answered; one that fails is a difference. */
    private void said(Ran ran) {
        ran.output().lines().forEach(line -> out.println("  " + line));
        out.flush();
        if (ran.code() != 0) {
            differences.add(ran.words() + " ended with " + ran.code() + ": " + ran.output());
        }
    }

    private void well(String... words) {
        Ran ran = command(words);
        if (ran.code() != 0) {
            differences.add(ran.words() + " ended with " + ran.code() + ": " + ran.output());
        }
    }

    private Ran command(String... words) {
        StringWriter printed = new StringWriter();
        PrintWriter into = new PrintWriter(printed, true);
        CommandLine commands = Runcast.commandLine().setOut(into).setErr(into);
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--server", addresses.api()));
        return new Ran(String.join(" ", words), commands.execute(all.toArray(String[]::new)), printed.toString());
    }

    /** What became of a command. */
    private record Ran(String words, int code, String output) {}
}
