package dev.runcast.cli;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** A test's door on a port, and what commands that are sent there write. */
final class ServedDoor implements BeforeEachCallback, AfterEachCallback {
    /** What commands wrote for whoever reads on. */
    final StringWriter out = new StringWriter();
    /** What they wrote for a person. */
    final StringWriter err = new StringWriter();

    private final Server server;

    ServedDoor(BindableService door) {
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .addService(door)
                .build();
    }

    /** Gives a command with these words to the door; returns its exit code. */
    int execute(String... words) {
        List<String> all = new ArrayList<>(Arrays.asList(words));
        all.addAll(List.of("--server", "127.0.0.1:" + server.getPort()));
        return Runcast.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(all.toArray(String[]::new));
    }

    @Override
    public void beforeEach(ExtensionContext context) throws IOException {
        server.start();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        server.shutdownNow();
    }
}
