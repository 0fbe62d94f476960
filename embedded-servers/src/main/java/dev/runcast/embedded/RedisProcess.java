package dev.runcast.embedded;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/*
 * Nothing ends a child when the JVM is killed, so a second child does: a shell that waits for the end of its input, a
 * pipe which only the JVM holds open, and then ends Redis. A child of a terminal gets Ctrl-C together with the JVM and
 * would be gone before the services have drained: both children run in a session of their own where setsid exists.
 */
/** A running redis-server, which ends within moments when this process ends in whatever way. */
final class RedisProcess {

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

    private static final Duration READY_TIMEOUT = Duration.ofSeconds(10);

    private static final int POLL_MILLIS = 10;

    private static final Path SETSID = Path.of("/usr/bin/setsid");

    private static final String WATCH = "read -r _; kill \"$1\" 2>/dev/null";

    private final Process redis;

    private final Process watch;

    private final CompletableFuture<Void> unwatched;

    private final Path log;

    private RedisProcess(Process redis, Process watch, CompletableFuture<Void> unwatched, Path log) {
        this.redis = redis;
        this.watch = watch;
        this.unwatched = unwatched;
        this.log = log;
    }

    static RedisProcess start(Path program, List<String> arguments, Path log) throws IOException {
        Process redis = new ProcessBuilder(inOwnSession(program.toString(), arguments))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            Process watch = new ProcessBuilder(
                            inOwnSession("/bin/sh", List.of("-c", WATCH, "sh", Long.toString(redis.pid()))))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            // A Redis that ended by itself needs no watch, and its number may soon be another process's.
            CompletableFuture<Void> unwatched = redis.onExit().thenRun(watch::destroyForcibly);
            return new RedisProcess(redis, watch, unwatched, log);
        } catch (IOException e) {
            redis.destroyForcibly();
            throw e;
        }
    }

    ProcessHandle handle() {
        return redis.toHandle();
    }

    /**
     * Waits until this very process answers on the port.
     *
     * @throws IOException when it has ended or does not answer in time; the message has what it printed
     */
    void awaitReady(int port) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + READY_TIMEOUT.toNanos();
        String expected = "process_id:" + redis.pid();
        while (!redis.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
            // It answers this, and nothing else, also while it is still reading its data.
            List<String> info = info(port);
            if (info.contains(expected) && info.contains("loading:0")) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException("not ready within %d s: %s".formatted(READY_TIMEOUT.toSeconds(), output()));
            }
        }
        throw new IOException("ended with status %d: %s".formatted(redis.exitValue(), output()));
    }

    void stop() throws InterruptedException {
        watch.destroyForcibly();
        end(redis.toHandle());
        redis.waitFor();
        unwatched.join();
    }

    /** Asks a process to end, and makes it after a while. */
    static void end(ProcessHandle process) throws InterruptedException {
        process.destroy();
        try {
            process.onExit().get(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            process.destroyForcibly();
        }
    }

    private static List<String> inOwnSession(String program, List<String> arguments) {
        List<String> command = new ArrayList<>();
        if (Files.isExecutable(SETSID)) {
            // It replaces itself by the program, so the process number stays the one we are told.
            command.add(SETSID.toString());
        }
        command.add(program);
        command.addAll(arguments);
        return command;
    }

    /** What Redis says of its process and its data, line by line, or none when nobody answers. */
    private static List<String> info(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(FreePorts.loopback(), port), 200);
            socket.setSoTimeout(1_000);
            socket.getOutputStream()
                    .write("INFO server\r\nINFO persistence\r\nQUIT\r\n".getBytes(StandardCharsets.US_ASCII));
            try (BufferedReader reader =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII))) {
                return reader.lines().toList();
            }
        } catch (IOException | UncheckedIOException notYet) {
            return List.of();
        }
    }

    private String output() throws IOException {
        String printed = Files.readString(log, StandardCharsets.ISO_8859_1).trim();
        return printed.isEmpty() ? "(it printed nothing)" : printed;
    }
}
