package dev.runcast.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A JVM with this one's class path, to be started, killed, frozen and started again. One thread uses it. */
final class ServiceProcess {
    private static final HttpClient HTTP =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

    private final String name;
    private final List<String> command;
    private final Path logs;
    private final Predicate<Path> ready;
    private int starts;
    private @Nullable Process process;

    private ServiceProcess(String name, List<String> command, Path logs, Predicate<Path> ready) {
        this.name = name;
        this.command = command;
        this.logs = logs;
        this.ready = ready;
    }

    /** A service whose readiness is told at this port under {@code /actuator/health/readiness}. */
    static ServiceProcess service(
            String name, Class<?> main, int heapMegabytes, Path logs, int healthPort, List<String> arguments) {
        return new ServiceProcess(
                name, command(main, heapMegabytes, List.of(), arguments), logs, log -> isUp(healthPort));
    }

    /** A process of the suite's own that says {@code ready} on a line by itself. */
    static ServiceProcess own(
            String name, Class<?> main, int heapMegabytes, Path logs, List<String> arguments, String... options) {
        List<String> all = new ArrayList<>(List.of("-Dlogback.configurationFile=faults-logback.xml"));
        all.addAll(List.of(options));
        return new ServiceProcess(name, command(main, heapMegabytes, all, arguments), logs, log -> said(log, "ready"));
    }

    /**
     * The same, which the system gives a core before the others, where it may: {@code nice} starts it either way. What a
     * thread waits for inside the JVM is held by other threads of its process, and those wait for a core too.
     */
    ServiceProcess first() {
        List<String> preferred = new ArrayList<>(List.of("nice", "-n", "-10"));
        preferred.addAll(command);
        return new ServiceProcess(name, preferred, logs, ready);
    }

    private static List<String> command(
            Class<?> main, int heapMegabytes, List<String> options, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heapMegabytes + "m",
                "-Xss512k",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xshare:auto",
                "-XX:+ExitOnOutOfMemoryError",
                "--enable-native-access=ALL-UNNAMED",
                "-Dfile.encoding=UTF-8"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(arguments);
        return command;
    }

    String name() {
        return name;
    }

    /** What it has said since its latest start. */
    Path log() {
        return logs.resolve(name + '-' + starts + ".log");
    }

    /** Starts it and returns at once; does nothing while it runs. */
    void start() {
        if (isAlive()) {
            return;
        }
        starts++;
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().put("MALLOC_ARENA_MAX", "2");
            process = builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log().toFile()))
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean isAlive() {
        Process running = process;
        return running != null && running.isAlive();
    }

    /** Whether it says that it can be used. */
    boolean isReady() {
        return isAlive() && ready.test(log());
    }

    /** Waits until it can be used. */
    void awaitReady(Duration timeout) {
        Await.until(name + " is ready (see " + log() + ")", timeout, () -> {
            if (!isAlive()) {
                throw new IllegalStateException(name + " has ended by itself (see " + log() + ")");
            }
            return ready.test(log());
        });
    }

    /** As {@code kill -9} does, and waits until it is gone. */
    void kill() {
        Process killed = process;
        if (killed != null) {
            killed.destroyForcibly().onExit().join();
        }
    }

    /** As {@code kill} does: waits for an orderly end, and kills what takes too long. */
    void stop(Duration timeout) {
        Process stopping = process;
        if (stopping == null) {
            return;
        }
        stopping.destroy();
        try {
            if (!stopping.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                kill();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            kill();
        }
    }

    /** Waits for its end by itself; its exit status, or -1 when it has not ended in time. */
    int awaitEnd(Duration timeout) {
        try {
            Process running = java.util.Objects.requireNonNull(process, "never started");
            return running.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS) ? running.exitValue() : -1;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return -1;
        }
    }

    /** Stops it in the middle of whatever it does, as SIGSTOP does. */
    void freeze() {
        signal("-STOP");
    }

    /** Lets it go on, as if no time had passed. */
    void thaw() {
        signal("-CONT");
    }

    private void signal(String signal) {
        Process running = process;
        if (running == null || !running.isAlive()) {
            return;
        }
        try {
            int status = new ProcessBuilder("kill", signal, Long.toString(running.pid()))
                    .start()
                    .waitFor();
            if (status != 0) {
                throw new IllegalStateException("kill %s %s: status %d".formatted(signal, name, status));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean said(Path log, String line) {
        try (var lines = Files.lines(log, StandardCharsets.UTF_8)) {
            return lines.anyMatch(line::equals);
        } catch (IOException | UncheckedIOException notYet) {
            return false;
        }
    }

    private static boolean isUp(int port) {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + port + "/actuator/health/readiness"))
                .timeout(Duration.ofSeconds(3))
                .build();
        try {
            return HTTP.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException notYet) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
