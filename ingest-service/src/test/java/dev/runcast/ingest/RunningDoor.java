package dev.runcast.ingest;

import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.ConfigurableApplicationContext;

/** The whole service on a free port, against a broker. */
final class RunningDoor implements AutoCloseable {
    private final ConfigurableApplicationContext context;
    private final List<ManagedChannel> channels = new ArrayList<>();
    private final int port;

    private RunningDoor(ConfigurableApplicationContext context) {
        this.context = context;
        this.port = server().port();
    }

    static RunningDoor start(EmbeddedKafka kafka, String... properties) {
        RunningDoor door = new RunningDoor(IngestApplication.builder()
                .web(WebApplicationType.NONE)
                .properties("runcast.ingest.port=0", "runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers())
                .properties(properties)
                .run());
        await().atMost(Duration.ofSeconds(30)).until(door.server()::isServing);
        return door;
    }

    IngestServer server() {
        return context.getBean(IngestServer.class);
    }

    int port() {
        return port;
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    ManagedChannel channel(ClientInterceptor... interceptors) {
        ManagedChannel channel = NettyChannelBuilder.forAddress("127.0.0.1", port)
                .usePlaintext()
                .intercept(interceptors)
                .build();
        channels.add(channel);
        return channel;
    }

    ManagedChannel channel(String token) {
        Metadata headers = new Metadata();
        headers.put(Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
        return channel(MetadataUtils.newAttachHeadersInterceptor(headers));
    }

    /** Stops the service as a SIGTERM does. */
    void stop() {
        context.close();
    }

    @Override
    public void close() {
        channels.forEach(ManagedChannel::shutdownNow);
        context.close();
    }
}
