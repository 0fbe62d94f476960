package dev.runcast.embedded;

import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.temporal.internal.testservice.GRPCServerHelper;
import io.temporal.internal.testservice.TestServicesStarter;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Temporal's test server in this process, with its clock bound to the real one. Everything is in memory: a restart
 * forgets every workflow. Listing and counting workflows and schedules are not implemented in it.
 */
public final class EmbeddedTemporal extends RestartableServer {

    private static final long STOP_TIMEOUT_SECONDS = 2;

    private @Nullable TestServicesStarter services;

    private @Nullable Server server;

    private EmbeddedTemporal(int port) {
        super("Temporal", port, null);
    }

    /**
     * Starts a server with the namespace {@code default} and returns when it takes calls.
     *
     * @param port 1 to 65535, or 0 for a free one
     * @throws EmbeddedServerException when the port is taken
     * @throws IllegalArgumentException when the port is out of range
     */
    public static EmbeddedTemporal start(int port) {
        EmbeddedTemporal temporal = new EmbeddedTemporal(port);
        temporal.restart();
        return temporal;
    }

    /** Host and port as Temporal's clients take them; the same after every restart. */
    public String target() {
        return address();
    }

    /*
     * TestServer.createPortBoundServer does the same but listens on every interface, without authentication.
     * Time skipping is locked: else the clock jumps ahead by years whenever all workflows wait.
     */
    @Override
    void launch(@Nullable Path folder) throws Exception {
        TestServicesStarter starting = new TestServicesStarter(true, 0);
        services = starting;
        NettyServerBuilder builder = NettyServerBuilder.forAddress(new InetSocketAddress(FreePorts.loopback(), port()));
        GRPCServerHelper.registerServicesAndHealthChecks(starting.getServices(), builder);
        server = builder.build().start();
    }

    /*
     * Open calls are cut off at once: workers hold long polls of a minute that no graceful shutdown outlives. The
     * services come last, since each call that is cut off still hands them its clearing up.
     */
    @Override
    void shutDown() throws InterruptedException {
        Server stopping = server;
        server = null;
        if (stopping != null) {
            stopping.shutdownNow();
            stopping.awaitTermination(STOP_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        }
        TestServicesStarter closing = services;
        services = null;
        if (closing != null) {
            closing.close();
        }
    }
}
