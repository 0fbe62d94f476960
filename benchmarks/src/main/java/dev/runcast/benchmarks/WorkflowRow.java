package dev.runcast.benchmarks;

import com.google.protobuf.Timestamp;
import com.google.protobuf.util.Durations;
import com.google.protobuf.util.Timestamps;
import dev.runcast.benchmarks.BareWorkflows.Calling;
import dev.runcast.cli.LocalStackFile;
import dev.runcast.doors.Principal;
import dev.runcast.v1.Change;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceBlockingStub;
import dev.runcast.v1.ExecutionServiceGrpc.ExecutionServiceFutureStub;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.ListChangesRequest;
import dev.runcast.v1.ListExecutionsRequest;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.WriterKind;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** How soon an execution that is created runs, and how many a second can be run. */
final class WorkflowRow implements Row {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int MOST_CREATED_A_ROUND = 8;
    private static final int CALLERS = 16;
    static final String TENANT = Principal.LOCAL.tenant();
    static final String AGENT = "script";
    static final String SAYS_ONE_THING = "[{progress: {}}]";

    @Override
    public String name() {
        return "workflow";
    }

    @Override
    public String about() {
        return "an execution from its creation to its agent's first update, and executions a second beside bare workflows";
    }

    @Override
    public List<Figure> measure(Workbench bench) throws Exception {
        StackProcess stack = bench.stack();
        ManagedChannel channel = NettyChannelBuilder.forTarget(stack.address(LocalStackFile.API_GRPC))
                .usePlaintext()
                .build();
        ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
        try (BareWorkflows bare = BareWorkflows.on(stack.address("temporal"))) {
            ExecutionServiceBlockingStub api = ExecutionServiceGrpc.newBlockingStub(channel);
            begin(api);
            List<Double> seen = new ArrayList<>();
            List<Double> logged = new ArrayList<>();
            int created = Math.min(MOST_CREATED_A_ROUND, bench.scale().costExecutions());
            for (int i = 0; i < created * bench.scale().rounds(); i++) {
                String id = newId("begun");
                seen.add(untilSeen(api, callers, id));
                logged.add(untilLogged(api, id));
            }
            bench.say(
                    "workflow: first update %.0f ms after the creation, seen after %.0f ms",
                    Spread.of(logged).median(), Spread.of(seen).median());
            int many = Math.max(8, bench.scale().costExecutions() * 8);
            Duel same = Duel.fight(
                    bench,
                    "workflow, the same two activities",
                    Unit.PER_SECOND,
                    () -> bare.perSecond(Calling.AGENT, many, callers),
                    () -> perSecond(channel, many));
            Duel nothing = Duel.fight(
                    bench,
                    "workflow, activities that do nothing",
                    Unit.PER_SECOND,
                    () -> bare.perSecond(Calling.NOTHING, many, callers),
                    () -> perSecond(channel, many));
            return List.of(
                    new Figure(
                            name(),
                            "create → agent's first update: p50",
                            Unit.MILLISECONDS,
                            Spread.of(logged),
                            null,
                            null,
                            List.of(Goal.atMost(150)),
                            "one after the other, all up: from the door's stamp on the declaration to its stamp on the first"
                                    + " update of the agent, as the history has them."),
                    new Figure(
                            name(),
                            "create → first update seen: p50",
                            Unit.MILLISECONDS,
                            Spread.of(seen),
                            null,
                            null,
                            List.of(Goal.atMost(150)),
                            "the same, from the call of CreateExecution to the frame with the first update at a viewer that"
                                    + " waits for the execution since before the call (begin_within); the store has it up to a"
                                    + " commit of the merge (1 s) later."),
                    new Figure(
                            name(),
                            "executions run a second",
                            Unit.PER_SECOND,
                            same.ours(),
                            same.rival(),
                            same.ratio(),
                            List.of(Goal.ratioAtLeast(0.8)),
                            ("%,d executions whose agent says one thing, all created at once: ends a second between the"
                                            + " first tenth of them and the last, by the stamps of the log; beside it as many bare"
                                            + " workflows that call the same two activities on the same worker, started by %d"
                                            + " callers on the same Temporal test server: what their agent says goes the same way,"
                                            + " but nobody declares, starts, supervises or ends their executions.")
                                    .formatted(many, CALLERS)),
                    new Figure(
                            name(),
                            "executions run a second",
                            Unit.PER_SECOND,
                            nothing.ours(),
                            nothing.rival(),
                            nothing.ratio(),
                            List.of(),
                            "the same beside bare workflows with two activities that do nothing, in this process."));
        } finally {
            callers.shutdownNow();
            channel.shutdownNow();
        }
    }

    private static final AtomicLong IDS = new AtomicLong(System.nanoTime());

    static String newId(String prefix) {
        return prefix + "-" + Long.toString(IDS.incrementAndGet(), 36);
    }

    /** The first one loads classes on both sides. */
    private static void begin(ExecutionServiceBlockingStub api) throws InterruptedException {
        String id = newId("begin");
        create(api, id);
        awaitEnded(api, id, 1);
    }

    private static void create(ExecutionServiceBlockingStub api, String id) {
        api.withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS).createExecution(request(id, id));
    }

    private static CreateExecutionRequest request(String id, String session) {
        return CreateExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setSpec(ExecutionSpec.newBuilder()
                        .setAgent(AGENT)
                        .setInput(SAYS_ONE_THING)
                        .setSessionId(session))
                .build();
    }

    /** The viewer is there first: it waits for the execution before that is asked for. */
    private static double untilSeen(ExecutionServiceBlockingStub api, ExecutorService callers, String id) {
        Context.CancellableContext call = Context.current().withCancellation();
        Context before = call.attach();
        try {
            Iterator<WatchExecutionResponse> frames = api.watchExecution(WatchExecutionRequest.newBuilder()
                    .setExecutionId(id)
                    .setBeginWithin(Durations.fromSeconds(PATIENCE.toSeconds()))
                    .build());
            long began = System.nanoTime();
            CompletableFuture<Void> created = CompletableFuture.runAsync(() -> create(api, id), callers);
            while (frames.hasNext()) {
                WatchExecutionResponse frame = frames.next();
                boolean runs = frame.getSnapshot().getExecution().getEpoch() > 0
                        || frame.getChange().getExecution().getEpoch() > 0;
                if (runs) {
                    double millis = (System.nanoTime() - began) / 1e6;
                    created.join();
                    return millis;
                }
            }
            throw new IllegalStateException(id + " was not seen to run (expected: before its end)");
        } finally {
            call.detach(before);
            call.cancel(null);
        }
    }

    private static double untilLogged(ExecutionServiceBlockingStub api, String id) throws InterruptedException {
        awaitEnded(api, id, 1);
        Timestamp declared = null;
        for (Change change : api.listChanges(
                        ListChangesRequest.newBuilder().setExecutionId(id).build())
                .getChangesList()) {
            if (declared == null) {
                declared = change.getReceivedAt();
            } else if (change.getCause().getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER) {
                return Timestamps.toNanos(change.getReceivedAt()) / 1e6 - Timestamps.toNanos(declared) / 1e6;
            }
        }
        throw new IllegalStateException(id + " has no update of its agent");
    }

    /** By the stamps of the log. */
    private static double perSecond(ManagedChannel channel, int many) throws Exception {
        String run = newId("run");
        ExecutionServiceFutureStub api = ExecutionServiceGrpc.newFutureStub(channel);
        List<Future<?>> created = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            // Not one after the other: each is answered when it can be read.
            created.add(api.createExecution(request(newId("many"), run)));
        }
        for (Future<?> each : created) {
            each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        List<Execution> ended = awaitEnded(ExecutionServiceGrpc.newBlockingStub(channel), run, many);
        return sustained(ended.stream()
                .mapToLong(execution -> Timestamps.toNanos(execution.getEndedAt()))
                .toArray());
    }

    /** Ends a second between the first tenth and the last: how it gets going is another figure. */
    static double sustained(long[] ends) {
        long[] sorted = ends.clone();
        Arrays.sort(sorted);
        int from = sorted.length / 10;
        int to = sorted.length - 1 - from;
        return (to - from) / (Math.max(1, sorted[to] - sorted[from]) / 1e9);
    }

    /** Those of a session that are COMPLETED, when there are so many. */
    private static List<Execution> awaitEnded(ExecutionServiceBlockingStub api, String session, int many)
            throws InterruptedException {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            List<Execution> ended = api
                    .listExecutions(ListExecutionsRequest.newBuilder()
                            .setPageSize(500)
                            .setFilter("session_id = " + session)
                            .build())
                    .getExecutionsList()
                    .stream()
                    .filter(execution -> execution.getPhase() == Phase.PHASE_COMPLETED)
                    .toList();
            if (ended.size() >= many) {
                return ended;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException(
                        "%s: %d COMPLETED (expected: %d within %s)".formatted(session, ended.size(), many, PATIENCE));
            }
            Thread.sleep(20);
        }
    }
}
