package dev.runcast.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/** Finds ports on the loopback interface that nothing listens on. Thread-safe. */
public final class FreePorts {

    /*
     * Free ports come from below the range that Linux (from 32768) and macOS (from 49152) give to outgoing connections,
     * and not from binding port 0, which takes one inside it. While a server there is stopped for a restart, a client
     * that keeps connecting to its port may be given that very port as its own local one: TCP then connects the socket
     * to itself (a simultaneous open, RFC 9293 section 3.5) and the server can never have its port back.
     */
    private static final int LOWEST = 20_000;

    private static final int HIGHEST = 32_000;

    private static final int ATTEMPTS = 2_000;

    private static final int CONNECT_TIMEOUT_MILLIS = 200;

    /** What this process was given already, so that two servers that start at once get two ports. */
    private static final Set<Integer> GIVEN = ConcurrentHashMap.newKeySet();

    private FreePorts() {}

    /**
     * The port a server gets, beside the one that was wished for.
     *
     * @param port the port to use, 1 to 65535
     * @param preferred what was asked for; 0 when any port would do
     */
    public record Choice(int port, int preferred) {

        /** Whether another port than the preferred one has to do, because something listens there. */
        public boolean substituted() {
            return preferred != 0 && preferred != port;
        }
    }

    /**
     * The preferred port when nothing listens on it, else a free one.
     *
     * @param preferred 1 to 65535, or 0 for any free port
     * @throws IllegalArgumentException when {@code preferred} is out of range
     * @throws EmbeddedServerException when no port is free
     */
    public static Choice preferred(int preferred) {
        checkRange(preferred);
        return new Choice(preferred != 0 && isFree(preferred) ? preferred : free(), preferred);
    }

    /**
     * A port that nothing listens on and that this method has not returned before in this process.
     *
     * @throws EmbeddedServerException when no port is free
     */
    public static int free() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(LOWEST, HIGHEST);
            if (!GIVEN.contains(port) && isFree(port) && GIVEN.add(port)) {
                return port;
            }
        }
        throw new EmbeddedServerException("free port: none between %d and %d after %d attempts (expected: at least one)"
                .formatted(LOWEST, HIGHEST, ATTEMPTS));
    }

    /**
     * Whether a server could listen on this port of the loopback interface now.
     *
     * @param port 1 to 65535
     */
    public static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(loopback(), port));
        } catch (IOException taken) {
            return false;
        }
        // macOS lets a socket bind 127.0.0.1 beside one that listens on all interfaces: only connecting shows that one.
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(loopback(), port), CONNECT_TIMEOUT_MILLIS);
            return false;
        } catch (IOException nobodyListens) {
            return true;
        }
    }

    /** 127.0.0.1, never ::1: some of the servers and clients speak IPv4 only. */
    static InetAddress loopback() {
        try {
            return InetAddress.getByAddress("127.0.0.1", new byte[] {127, 0, 0, 1});
        } catch (IOException impossible) {
            throw new AssertionError(impossible);
        }
    }

    static int checkRange(int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException(
                    "port: %d (expected: 0 for any free port, or 1 to 65535)".formatted(port));
        }
        return port;
    }
}
