package dev.runcast.benchmarks;

import dev.runcast.cli.LocalStackFile;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.UpdateBatch;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * {@code runcast up} in a process of its own, as a person starts it. Thread-safe but for {@link #report}.
 */
final class StackProcess implements Design, AutoCloseable {
    private static final Duration START = Duration.ofSeconds(90);

    private final JavaProcess process;
    private final Path data;
    private final Properties addresses;
    private final Duration firstSeen;
    private final ManagedChannel channel;
    private final StreamObserver<PublishUpdatesRequest> stream;
    private final AtomicReference<@Nullable String> refused = new AtomicReference<>();
    private @Nullable JavaProcess beside;

    private StackProcess(JavaProcess process, Path data, Properties addresses, long began) throws Exception {
        this.process = process;
        this.data = data;
        this.addresses = addresses;
        this.channel = NettyChannelBuilder.forTarget(address(LocalStackFile.INGEST_GRPC))
                .usePlaintext()
                .directExecutor()
                .build();
        this.stream = IngestServiceGrpc.newStub(channel).publishUpdates(new StreamObserver<>() {
            @Override
            public void onNext(PublishUpdatesResponse response) {
                if (response.hasRefusal()) {
                    refused.compareAndSet(null, response.getRefusal().getMessage());
                }
            }

            @Override
            public void onError(Throwable failure) {
                refused.compareAndSet(null, failure.toString());
            }

            @Override
            public void onCompleted() {
                refused.compareAndSet(null, "the stream was ended");
            }
        });
        report(Workload.batch("first", System.currentTimeMillis(), 1, 1, 0));
        Watcher.awaitFirst(viewers(), "first", START);
        this.firstSeen = Duration.ofNanos(System.nanoTime() - began);
    }

    /** Starts it, reports an execution, and returns when a viewer has seen that. */
    static StackProcess start(Path folder, List<String> options) throws Exception {
        long began = System.nanoTime();
        Path data = folder.resolve("data");
        JavaProcess process = JavaProcess.start(
                "dev.runcast.local.Main",
                options,
                Map.of("XDG_STATE_HOME", folder.toString(), "MALLOC_ARENA_MAX", "2"),
                folder,
                "up",
                "--data",
                data.toString());
        try {
            process.process().getInputStream().close();
            return new StackProcess(
                    process, data, awaitAddresses(process, folder.resolve("runcast/local-stack.properties")), began);
        } catch (Exception e) {
            process.close();
            throw e;
        }
    }

    private static Properties awaitAddresses(JavaProcess process, Path file) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + START.toNanos();
        while (!Files.exists(file)) {
            if (!process.process().isAlive()) {
                throw new IllegalStateException("runcast up ended: " + process.errors());
            }
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("runcast up is not ready after " + START);
            }
            Thread.sleep(20);
        }
        Properties addresses = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            addresses.load(reader);
        }
        return addresses;
    }

    /** From the start of the process until a viewer had seen the first execution. */
    Duration firstSeen() {
        return firstSeen;
    }

    JavaProcess process() {
        return process;
    }

    /** Where it keeps everything. */
    Path data() {
        return data;
    }

    /** An address as the stack's file has it. */
    String address(String key) {
        String address = addresses.getProperty(key);
        if (address == null) {
            throw new IllegalStateException(key + ": none in " + addresses.stringPropertyNames());
        }
        return address;
    }

    /** Another process uses the same servers: its processor time counts too. Null when there is none any more. */
    void beside(@Nullable JavaProcess other) {
        beside = other;
    }

    @Override
    public void report(UpdateBatch batch) {
        stream.onNext(PublishUpdatesRequest.newBuilder().setBatch(batch).build());
    }

    @Override
    public void check() {
        String failure = refused.get();
        if (failure != null) {
            throw new IllegalStateException("the runners' door refused: " + failure);
        }
    }

    @Override
    public InetSocketAddress viewers() {
        return socket(address(LocalStackFile.API_HTTP));
    }

    @Override
    public Duration processorTime() {
        JavaProcess other = beside;
        return other == null ? process.processorTime() : process.processorTime().plus(other.processorTime());
    }

    /** A commit of the merge, and a write of the sink. */
    @Override
    public Duration settling() {
        return Duration.ofMillis(2500);
    }

    @Override
    public void close() {
        channel.shutdownNow();
        process.close();
    }

    private static InetSocketAddress socket(String address) {
        int colon = address.lastIndexOf(':');
        return new InetSocketAddress(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
    }
}
