package dev.runcast.ingest;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** The service in a JVM of its own with a heap that is named, so that what it cannot bear would end it. */
final class DoorProcess implements AutoCloseable {
    private final Process process;
    private final CompletableFuture<String> port = new CompletableFuture<>();
    private final List<String> said = new ArrayList<>();

    private DoorProcess(Process process) {
        this.process = process;
        Thread reader = new Thread(this::read, "door-output");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts it on a free port and waits until it serves. */
    static DoorProcess start(String heap, String brokers, String... properties) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heap,
                "-XX:MaxDirectMemorySize=" + heap,
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "--runcast.ingest.port=0",
                "--server.port=0",
                "--runcast.kafka.bootstrap-servers=" + brokers));
        command.addAll(List.of(properties));
        DoorProcess door = new DoorProcess(
                new ProcessBuilder(command).redirectErrorStream(true).start());
        door.port();
        return door;
    }

    int port() {
        try {
            return Integer.parseInt(port.get(60, TimeUnit.SECONDS));
        } catch (InterruptedException | java.util.concurrent.ExecutionException | TimeoutException e) {
            throw new AssertionError("the door does not serve:\n" + output(), e);
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    String output() {
        synchronized (said) {
            return String.join("\n", said);
        }
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (said) {
                    said.add(line);
                }
                int at = line.indexOf("Serving runners on 127.0.0.1:");
                if (at >= 0) {
                    port.complete(
                            line.substring(at + "Serving runners on 127.0.0.1:".length()).strip());
                }
            }
            port.completeExceptionally(new IOException("it ended"));
        } catch (IOException e) {
            port.completeExceptionally(new UncheckedIOException(e));
        }
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }

    /** What runs in the other process. */
    static final class Main {
        private Main() {}

        public static void main(String[] arguments) {
            IngestApplication.main(arguments);
        }
    }
}
