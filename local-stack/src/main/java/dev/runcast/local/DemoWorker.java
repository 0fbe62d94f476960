package dev.runcast.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A worker that runs agents in a process of its own, so that it can be killed. */
final class DemoWorker implements AutoCloseable {
    private final Process process;

    private DemoWorker(Process process) {
        this.process = process;
    }

    /** Begins to start it; it is slow at what it does, so that there is time to kill it. */
    static DemoWorker start(Addresses stack) throws IOException {
        Path log = Files.createDirectories(stack.data().resolve("logs")).resolve("worker.log");
        List<String> command = List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-Xmx64m",
                "-Xss512k",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "worker",
                "--temporal",
                stack.temporal(),
                "--ingest",
                stack.ingest(),
                "--agents",
                stack.data().resolve("agents").toString(),
                "--threads",
                stack.data().resolve("threads").toString(),
                "--speed",
                "0.1");
        return new DemoWorker(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start());
    }

    long pid() {
        return process.pid();
    }

    /** As {@code kill -9} does; returns when it is gone. */
    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(10, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
