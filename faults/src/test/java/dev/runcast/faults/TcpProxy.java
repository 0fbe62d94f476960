package dev.runcast.faults;

import dev.runcast.embedded.FreePorts;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and a server on this machine and can misbehave: refuse, swallow, delay, cut. Two threads for
 * each connection. Thread-safe.
 */
final class TcpProxy implements AutoCloseable {
    private enum Mode {
        PASS,
        SWALLOW,
        DOWN
    }

    private static final Supplier<Conversation> PLAIN = () -> Conversation.PLAIN;

    private final int target;
    private final int port = FreePorts.free();
    private final Set<Line> lines = ConcurrentHashMap.newKeySet();
    private volatile Supplier<Conversation> conversations = PLAIN;
    private volatile Mode mode = Mode.PASS;
    private volatile Duration delay = Duration.ZERO;
    private @Nullable ServerSocket door;

    /** Begins to pass what comes to {@link #port()} on to the target, a port of this machine. */
    TcpProxy(int target) {
        this.target = target;
        open();
    }

    /** Where clients connect. */
    int port() {
        return port;
    }

    /** Everything goes through again, as it is. A connection that has lost bytes cannot go on and is cut. */
    synchronized void pass() {
        mode = Mode.PASS;
        delay = Duration.ZERO;
        lines.stream().filter(line -> line.lossy).forEach(Line::cut);
        if (conversations != PLAIN) {
            converse(PLAIN);
        }
        if (door == null) {
            open();
        }
    }

    /** Takes connections and bytes and hands nothing on: to both sides the other one is silent. */
    synchronized void swallow() {
        mode = Mode.SWALLOW;
    }

    /** Connections are cut and new ones refused. */
    synchronized void refuse() {
        mode = Mode.DOWN;
        ServerSocket closing = door;
        door = null;
        if (closing != null) {
            closeQuietly(closing);
        }
        cutAll();
    }

    /** What the server answers is held up for so long. */
    void delayAnswers(Duration duration) {
        delay = duration;
    }

    /** Cuts the connections there are; new ones are welcome. */
    void cutAll() {
        lines.forEach(Line::cut);
    }

    /** What becomes of bytes on connections that are opened from now on; those there are get cut. */
    void converse(Supplier<Conversation> supplier) {
        conversations = supplier;
        cutAll();
    }

    @Override
    public void close() {
        refuse();
    }

    private synchronized void open() {
        try {
            ServerSocket opened = new ServerSocket();
            opened.setReuseAddress(true);
            opened.bind(new InetSocketAddress(loopback(), port), 128);
            door = opened;
            start("accept", () -> accept(opened));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void accept(ServerSocket opened) {
        while (!opened.isClosed()) {
            try {
                Line line = new Line(opened.accept());
                lines.add(line);
                line.begin();
                if (mode == Mode.DOWN) {
                    line.cut();
                }
            } catch (IOException closedOrRefused) {
                // The next one may do better.
            }
        }
    }

    private void start(String what, Runnable work) {
        Thread thread = new Thread(null, work, "proxy-" + target + '-' + what, 128 * 1024);
        thread.setDaemon(true);
        thread.start();
    }

    private static InetAddress loopback() throws IOException {
        return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    }

    private static void closeQuietly(AutoCloseable closing) {
        try {
            closing.close();
        } catch (Exception goneEitherWay) {
            // Nothing is written any more.
        }
    }

    /** One connection and the one that it leads to. */
    private final class Line {
        private final Socket client;
        private final Socket server = new Socket();
        private final Conversation conversation = conversations.get();
        private volatile boolean lossy;

        Line(Socket client) {
            this.client = client;
        }

        void begin() throws IOException {
            try {
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                server.connect(new InetSocketAddress(loopback(), target), 2_000);
            } catch (IOException nobodyThere) {
                cut();
                throw nobodyThere;
            }
            start("up", () -> pump(client, server, true));
            start("down", () -> pump(server, client, false));
        }

        private void pump(Socket from, Socket to, boolean up) {
            byte[] buffer = new byte[64 * 1024];
            try {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    if (!up && !delay.isZero()) {
                        Await.pause(delay);
                    }
                    hand(buffer, read, out, up);
                    // What came meanwhile has waited as long.
                    while (!up && !delay.isZero() && in.available() > 0) {
                        read = in.read(buffer, 0, Math.min(buffer.length, in.available()));
                        hand(buffer, read, out, false);
                    }
                }
            } catch (IOException gone) {
                // The other side learns of it below.
            } finally {
                cut();
            }
        }

        private void hand(byte[] buffer, int read, OutputStream out, boolean up) throws IOException {
            if (mode == Mode.SWALLOW) {
                lossy = true;
            }
            if (lossy) {
                return;
            }
            if (up) {
                conversation.fromClient(buffer, read, out);
            } else {
                conversation.fromServer(buffer, read, out);
            }
        }

        void cut() {
            lines.remove(this);
            closeQuietly(client);
            closeQuietly(server);
        }
    }
}
