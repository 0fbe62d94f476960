package dev.runcast.local;

import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** Watches an execution as a program does that loses its connection all the time. */
final class DemoViewer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ManagedChannel channel;
    private final List<String> differences;

    /** @param differences is told what this viewer should not have seen; thread-safe */
    DemoViewer(Addresses addresses, List<String> differences) {
        this.channel =
                NettyChannelBuilder.forTarget(addresses.api()).usePlaintext().build();
        this.differences = differences;
    }

    /** Returns when it has seen something of the execution. */
    void seeFirst(String execution) throws InterruptedException {
        Iterator<WatchExecutionResponse> frames = awaitWatch(execution, "");
        frames.next();
    }

    /** Watches to the end over many connections; what it saw must be every version once. */
    String watchWithCuts(String execution) throws InterruptedException {
        String cursor = "";
        long reached = -1;
        int cuts = 0;
        int changes = 0;
        while (true) {
            Context.CancellableContext call = Context.current().withCancellation();
            Context before = call.attach();
            try {
                Iterator<WatchExecutionResponse> frames = awaitWatch(execution, cursor);
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
                                execution,
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
    }

    // An execution that nobody has created yet is NOT_FOUND.
    private Iterator<WatchExecutionResponse> awaitWatch(String execution, String cursor) throws InterruptedException {
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

    @Override
    public void close() {
        channel.shutdownNow();
    }
}
