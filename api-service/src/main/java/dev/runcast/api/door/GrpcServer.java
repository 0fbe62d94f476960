package dev.runcast.api.door;

import dev.runcast.api.watch.WatchService;
import dev.runcast.doors.Callers;
import dev.runcast.doors.MetadataLimit;
import dev.runcast.doors.Policy;
import dev.runcast.doors.PrincipalInterceptor;
import dev.runcast.doors.Reflection;
import dev.runcast.v1.ExecutionServiceGrpc;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Serves {@link ExecutionDoor} with health and, where it is switched on, reflection. When it stops, health says so
 * first, then views end with DRAINING so that their viewers go on elsewhere, then calls have a while to finish.
 */
public final class GrpcServer implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(GrpcServer.class);
    private static final int LARGEST_REQUEST = 4 * 1024 * 1024;
    private static final long STOP_SECONDS = 5;

    private final InetSocketAddress address;
    private final boolean reflection;
    private final Callers callers;
    private final ExecutionDoor door;
    private final WatchService watches;
    private final HealthStatusManager health = new HealthStatusManager();
    private volatile @Nullable Server server;

    /** @param address port 0 means a free one */
    public GrpcServer(
            InetSocketAddress address, boolean reflection, Callers callers, ExecutionDoor door, WatchService watches) {
        this.address = address;
        this.reflection = reflection;
        this.callers = callers;
        this.door = door;
        this.watches = watches;
    }

    /**
     * The port that is served.
     *
     * @throws IllegalStateException when the server does not run
     */
    public int port() {
        Server running = server;
        if (running == null) {
            throw new IllegalStateException("the gRPC server does not run");
        }
        return running.getPort();
    }

    @Override
    public void start() {
        NettyServerBuilder builder = NettyServerBuilder.forAddress(address)
                .maxInboundMetadataSize(MetadataLimit.TRANSPORT_BYTES)
                .intercept(new PrincipalInterceptor(callers, Policy.GRPC))
                .intercept(new MetadataLimit())
                .addService(UnreadableRequests.answered(door.bindService()))
                .addService(health.getHealthService())
                .maxInboundMessageSize(LARGEST_REQUEST)
                // Viewers are silent for long; proxies on the way like to forget such connections.
                .keepAliveTime(30, TimeUnit.SECONDS)
                .keepAliveTimeout(10, TimeUnit.SECONDS)
                .permitKeepAliveTime(10, TimeUnit.SECONDS);
        if (reflection) {
            Reflection.services().forEach(builder::addService);
        }
        try {
            server = builder.build().start();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "gRPC address: %s cannot be listened on: %s (expected: a free port; runcast.api.grpc-port sets another)"
                            .formatted(address, root(e)),
                    e);
        }
        health.setStatus(ExecutionServiceGrpc.SERVICE_NAME, ServingStatus.SERVING);
        log.info("gRPC on {}:{}", address.getHostString(), port());
    }

    @Override
    public void stop() {
        Server running = server;
        if (running == null) {
            return;
        }
        health.enterTerminalState();
        watches.close();
        running.shutdown();
        try {
            if (!running.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)) {
                running.shutdownNow();
            }
        } catch (InterruptedException e) {
            running.shutdownNow();
            Thread.currentThread().interrupt();
        }
        server = null;
    }

    @Override
    public boolean isRunning() {
        return server != null;
    }

    /** Begins last and stops first, so that no view holds up the HTTP server's own stop. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }

    private static String root(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return String.valueOf(cause.getMessage());
    }
}
