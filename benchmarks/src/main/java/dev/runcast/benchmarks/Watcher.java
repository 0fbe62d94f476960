package dev.runcast.benchmarks;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;

/**
 * A viewer of one execution by server-sent events. It reads the socket itself, since a hundred of them share the
 * machine with what they measure.
 */
final class Watcher implements AutoCloseable {
    private static final String VERSION = "\"version\":\"";

    private final Socket socket;
    private final LongConsumer seen;
    private final CountDownLatch opened = new CountDownLatch(1);
    private final Thread thread;
    private volatile long version;
    private volatile boolean closed;

    /**
     * Begins to watch.
     *
     * @param seen is told each version after the first that was seen, once, in order, on the viewer's thread
     */
    Watcher(InetSocketAddress server, String executionId, LongConsumer seen) throws IOException {
        this.seen = seen;
        this.socket = new Socket(server.getAddress(), server.getPort());
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(60_000);
            socket.getOutputStream()
                    .write(("GET /v1/executions/" + executionId
                                    + ":watch HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            Body body = new Body(new BufferedInputStream(socket.getInputStream(), 16 * 1024));
            body.head(executionId);
            thread = new Thread(() -> read(body), "viewer-" + executionId);
            thread.setDaemon(true);
            thread.start();
        } catch (IOException | RuntimeException e) {
            socket.close();
            throw e;
        }
    }

    /** Tries until a viewer has seen the execution. */
    static void awaitFirst(InetSocketAddress server, String executionId, Duration patience)
            throws InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try (Watcher watcher = new Watcher(server, executionId, version -> {})) {
                watcher.awaitOpen(deadline);
                return;
            } catch (IOException notYet) {
                if (System.nanoTime() - deadline > 0) {
                    throw new UncheckedIOException(executionId + " was not seen within " + patience, notYet);
                }
                Thread.sleep(10);
            }
        }
    }

    /** Waits until the state has been seen, as of some version. */
    void awaitOpen(long deadline) throws InterruptedException {
        if (!opened.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
            throw new IllegalStateException(thread.getName() + ": no snapshot in time");
        }
    }

    /** The newest version that was seen. */
    long version() {
        return version;
    }

    @Override
    public void close() {
        closed = true;
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void read(Body body) {
        try {
            while (!closed) {
                String line = body.line();
                if (line.startsWith("data:")) {
                    int at = line.indexOf(VERSION);
                    if (at >= 0) {
                        int from = at + VERSION.length();
                        saw(Long.parseLong(line.substring(from, line.indexOf('"', from))));
                    }
                }
            }
        } catch (IOException | RuntimeException e) {
            if (!closed) {
                System.err.println("runcast: " + thread.getName() + ": " + e);
            }
        }
    }

    private void saw(long newest) {
        boolean first = opened.getCount() > 0;
        for (long each = version + 1; each <= newest && !first; each++) {
            seen.accept(each);
        }
        version = Math.max(version, newest);
        opened.countDown();
    }

    /** The body of a response in chunks (RFC 9112, section 7.1), line by line. */
    private static final class Body {
        private final InputStream in;
        private byte[] line = new byte[8 * 1024];
        private int left;
        private boolean begun;

        Body(InputStream in) {
            this.in = in;
        }

        void head(String executionId) throws IOException {
            String status = raw();
            boolean chunked = false;
            for (String field = raw(); !field.isEmpty(); field = raw()) {
                chunked |= field.equalsIgnoreCase("transfer-encoding: chunked");
            }
            if (!status.contains(" 200 ") || !chunked) {
                throw new IOException(executionId + ": " + status + " (expected: 200, in chunks)");
            }
        }

        String line() throws IOException {
            int length = 0;
            for (int next = next(); next != '\n'; next = next()) {
                if (length == line.length) {
                    line = java.util.Arrays.copyOf(line, 2 * length);
                }
                line[length++] = (byte) next;
            }
            return new String(line, 0, length, StandardCharsets.ISO_8859_1);
        }

        private int next() throws IOException {
            if (left == 0) {
                if (begun) {
                    raw();
                }
                begun = true;
                left = Integer.parseInt(raw().trim(), 16);
                if (left == 0) {
                    throw new EOFException("the stream ended");
                }
            }
            left--;
            return octet();
        }

        private String raw() throws IOException {
            StringBuilder text = new StringBuilder();
            for (int next = octet(); next != '\n'; next = octet()) {
                if (next != '\r') {
                    text.append((char) next);
                }
            }
            return text.toString();
        }

        private int octet() throws IOException {
            int octet = in.read();
            if (octet < 0) {
                throw new EOFException("the connection was closed");
            }
            return octet;
        }
    }
}
