package dev.runcast.ingest;

import dev.runcast.doors.Callers;
import dev.runcast.doors.Policy;
import dev.runcast.doors.PrincipalInterceptor;
import dev.runcast.topics.Stamp;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

/** The door without network and broker: real gRPC, a log in memory. */
final class MemoryDoor implements AutoCloseable {
    final MemoryLog log = new MemoryLog();
    final SignalBoard board = new SignalBoard();
    final SimpleMeterRegistry meters = new SimpleMeterRegistry();
    final InFlight inFlight;
    final IngestService service;
    private final ExecutorService executor = IngestServer.pool(4);
    private final Server server;
    private final ManagedChannel channel;

    MemoryDoor(Map<String, String> settings) {
        IngestSettings bound = settings(settings);
        inFlight = new InFlight(bound.inFlight().total().toBytes());
        InstantSource clock = InstantSource.system();
        service = new IngestService(new Door(
                log,
                board,
                new BatchCheck(clock),
                new Stamp(clock),
                inFlight,
                new Pressure(inFlight),
                new IngestMetrics(meters),
                bound,
                executor,
                clock));
        String name = InProcessServerBuilder.generateName();
        server = InProcessServerBuilder.forName(name)
                .executor(executor)
                .intercept(new PrincipalInterceptor(Callers.loopbackOnly(), Policy.GRPC))
                .addService(service.definition())
                .build();
        try {
            server.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        channel = InProcessChannelBuilder.forName(name).build();
        service.openDoor();
    }

    static IngestSettings settings(Map<String, String> settings) {
        return new Binder(new MapConfigurationPropertySource(settings))
                .bindOrCreate("runcast.ingest", IngestSettings.class);
    }

    ManagedChannel channel() {
        return channel;
    }

    double count(String meter, String... tags) {
        return meters.get(meter).tags(tags).counter().count();
    }

    @Override
    public void close() {
        channel.shutdownNow();
        server.shutdownNow();
        try {
            server.awaitTermination(5, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        executor.shutdown();
    }
}
