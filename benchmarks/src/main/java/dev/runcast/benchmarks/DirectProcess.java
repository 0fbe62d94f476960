package dev.runcast.benchmarks;

import dev.runcast.benchmarks.rival.DirectDesign;
import dev.runcast.v1.IngestServiceGrpc;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdateResponse;
import dev.runcast.v1.UpdateBatch;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** The old direct design in a process of its own, on the MongoDB and the Redis of the local stack. */
final class DirectProcess implements Design, AutoCloseable {
    private final StackProcess servers;
    private final JavaProcess process;
    private final int httpPort;
    private final ManagedChannel channel;
    private final IngestServiceGrpc.IngestServiceStub stub;
    private final AtomicReference<@Nullable Throwable> refused = new AtomicReference<>();

    private DirectProcess(StackProcess servers, JavaProcess process, int grpcPort, int httpPort) {
        this.servers = servers;
        this.process = process;
        this.httpPort = httpPort;
        this.channel = NettyChannelBuilder.forAddress("127.0.0.1", grpcPort)
                .usePlaintext()
                .directExecutor()
                .build();
        this.stub = IngestServiceGrpc.newStub(channel);
        servers.beside(process);
    }

    static DirectProcess start(Workbench bench) throws Exception {
        StackProcess servers = bench.stack();
        Path folder = bench.newFolder("direct");
        JavaProcess process = JavaProcess.start(
                DirectDesign.class.getName(),
                bench.stackOptions(),
                Map.of(),
                folder,
                servers.address("mongo"),
                servers.address("redis"));
        try {
            BufferedReader out = new BufferedReader(
                    new InputStreamReader(process.process().getInputStream(), StandardCharsets.UTF_8));
            String line = out.readLine();
            if (line == null || !line.startsWith("listening ")) {
                throw new IOException("the direct design did not start: " + line + "\n" + process.errors());
            }
            String[] words = line.split(" ");
            return new DirectProcess(servers, process, Integer.parseInt(words[1]), Integer.parseInt(words[2]));
        } catch (IOException | RuntimeException e) {
            process.close();
            throw e;
        }
    }

    @Override
    public void report(UpdateBatch batch) {
        stub.publishUpdate(PublishUpdateRequest.newBuilder().setBatch(batch).build(), new StreamObserver<>() {
            @Override
            public void onNext(PublishUpdateResponse answer) {
                // It is durable; viewers are what is measured.
            }

            @Override
            public void onError(Throwable failure) {
                refused.compareAndSet(null, failure);
            }

            @Override
            public void onCompleted() {
                // Nothing follows an answer.
            }
        });
    }

    /** Reports and waits for the answer, as runners of that design do. */
    void reportAndWait(UpdateBatch batch) {
        IngestServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .publishUpdate(PublishUpdateRequest.newBuilder().setBatch(batch).build());
    }

    @Override
    public void check() {
        Throwable failure = refused.get();
        if (failure != null) {
            throw new IllegalStateException("the direct design refused: " + failure, failure);
        }
    }

    @Override
    public InetSocketAddress viewers() {
        return new InetSocketAddress("127.0.0.1", httpPort);
    }

    @Override
    public Duration processorTime() {
        return servers.processorTime();
    }

    /** It answers when it has written. */
    @Override
    public Duration settling() {
        return Duration.ofMillis(500);
    }

    @Override
    public void close() {
        servers.beside(null);
        channel.shutdownNow();
        process.close();
    }
}
