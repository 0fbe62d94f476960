package dev.runcast.api;

import dev.runcast.api.control.UpdateLog;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.ExecutionStore;
import dev.runcast.store.InMemoryChangeBell;
import dev.runcast.store.InMemoryExecutionStore;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.web.server.reactive.context.ReactiveWebServerApplicationContext;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.test.web.reactive.server.WebTestClient;

/** The whole service on free ports of loopback, on twins of the store and the bell. */
public final class ApiFixture implements AutoCloseable {
    /** What it shows. */
    public final TroubledStore store = new TroubledStore(new InMemoryExecutionStore());
    /** What rings. */
    public final InMemoryChangeBell bell = new InMemoryChangeBell();

    /** What it appends to. */
    public final MergedLog log = new MergedLog(store, bell);

    private final ReactiveWebServerApplicationContext context;
    private final List<ManagedChannel> channels = new ArrayList<>();

    /** Starts it on free ports. */
    public ApiFixture(@Nullable Path tokenFile) {
        this(tokenFile, 0);
    }

    /** Starts it on this port for HTTP. */
    public ApiFixture(@Nullable Path tokenFile, int httpPort) {
        List<String> arguments = new ArrayList<>(List.of(
                "--runcast.api.http-port=" + httpPort,
                "--runcast.api.grpc-port=0",
                "--runcast.api.watch.poll-every=50ms",
                "--runcast.api.answer-timeout=2s",
                "--logging.level.root=WARN"));
        if (tokenFile != null) {
            arguments.add("--runcast.api.token-file=" + tokenFile);
        }
        this.context = (ReactiveWebServerApplicationContext) ApiApplication.builder()
                .initializers(context -> {
                    GenericApplicationContext beans = (GenericApplicationContext) context;
                    beans.registerBean(ExecutionStore.class, () -> store);
                    beans.registerBean(ChangeBell.class, () -> bell);
                    beans.registerBean(UpdateLog.class, () -> log);
                })
                .run(arguments.toArray(String[]::new));
    }

    /** Where HTTP is served. */
    public int httpPort() {
        return java.util.Objects.requireNonNull(context.getWebServer()).getPort();
    }

    /** One of its parts. */
    public <T> T part(Class<T> type) {
        return context.getBean(type);
    }

    /** A client of the HTTP door. */
    public WebTestClient http() {
        return WebTestClient.bindToServer()
                .baseUrl("http://localhost:" + httpPort())
                // The first call loads half of the door, beside other tests.
                .responseTimeout(Duration.ofSeconds(30))
                .build();
    }

    /** A channel to the gRPC door. */
    public ManagedChannel grpc() {
        ManagedChannel channel = NettyChannelBuilder.forAddress(
                        "localhost", part(dev.runcast.api.door.GrpcServer.class).port())
                .usePlaintext()
                .maxInboundMessageSize(32 * 1024 * 1024)
                .build();
        channels.add(channel);
        return channel;
    }

    @Override
    public void close() throws InterruptedException {
        for (ManagedChannel channel : channels) {
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
        context.close();
    }
}
