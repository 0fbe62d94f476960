package dev.runcast.local;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URISyntaxException;

/** Whether a given server answers at all, asked before anything is built on it. */
final class Reachability {
    private static final int TIMEOUT_MILLIS = 5_000;

    private Reachability() {}

    /**
     * Connects to the first address and hangs up.
     *
     * @throws StackException when the address is malformed or nobody answers
     */
    static void check(String name, String address) {
        String first = address.split(",", 2)[0];
        String host;
        int port;
        try {
            URI uri = new URI(first.contains("://") ? first : "tcp://" + first);
            host = uri.getHost();
            port = uri.getPort();
        } catch (URISyntaxException repeatsTheAddress) {
            throw malformed(name, address);
        }
        if (host == null || port < 1) {
            throw malformed(name, address);
        }
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host, port), TIMEOUT_MILLIS);
        } catch (IOException e) {
            throw new StackException(
                    "%s: %s does not answer: %s (expected: a running server, or leave the option out for an embedded one)"
                            .formatted(name, withoutPassword(first), e.getMessage()),
                    e);
        }
    }

    // The cause is left out: it repeats the address.
    private static StackException malformed(String name, String address) {
        return new StackException(name + ": " + withoutPassword(address) + " (expected: HOST:PORT)");
    }

    /** An address as it may be shown: what stands before an @ is who calls, and the secret. */
    private static String withoutPassword(String address) {
        int at = address.lastIndexOf('@');
        int scheme = address.indexOf("://");
        return at < 0 ? address : address.substring(0, scheme < 0 ? 0 : scheme + 3) + address.substring(at + 1);
    }
}
