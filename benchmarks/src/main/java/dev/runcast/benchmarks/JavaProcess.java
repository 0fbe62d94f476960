package dev.runcast.benchmarks;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A program of ours in a JVM of its own, with this one's class path. It ends with this one. Thread-safe. */
final class JavaProcess implements AutoCloseable {
    private static final Duration STOP = Duration.ofSeconds(30);

    private static final Pattern USED = Pattern.compile(" total .*?used (\\d+)K");

    private final Process process;
    private final Path errors;
    private final Thread hook;

    private JavaProcess(Process process, Path errors) {
        this.process = process;
        this.errors = errors;
        this.hook = new Thread(process::destroy, "bench-stop");
        Runtime.getRuntime().addShutdownHook(hook);
    }

    static JavaProcess start(
            String mainClass, List<String> options, Map<String, String> environment, Path folder, String... arguments)
            throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(mainClass);
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        Path errors = folder.resolve(mainClass + ".err");
        builder.redirectError(errors.toFile());
        return new JavaProcess(builder.start(), errors);
    }

    Process process() {
        return process;
    }

    /** What it said when it failed, for a person. */
    String errors() {
        try {
            List<String> lines = Files.readAllLines(errors);
            return String.join("\n", lines.subList(0, Math.min(10, lines.size())));
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** Used by it and its children so far. */
    Duration processorTime() {
        return family().map(each -> each.info().totalCpuDuration().orElse(Duration.ZERO))
                .reduce(Duration.ZERO, Duration::plus);
    }

    /** The largest resident memory that it and its children have had, in bytes; 0 where there is no /proc. */
    long peakResidentBytes() {
        return status("VmHWM:");
    }

    /** The resident memory of it and its children, in bytes; 0 where there is no /proc. */
    long residentBytes() {
        return status("VmRSS:");
    }

    /** What lives in its heap, in bytes, after a collection that is made for this. */
    long liveHeapBytes() throws IOException, InterruptedException {
        jcmd("GC.run");
        // "garbage-first heap total 262144K, used 131458K [..."; newer ones: "... total reserved 458752K, committed
        // 262144K, used 131458K"; other collectors: a line for each generation.
        String heap = jcmd("GC.heap_info");
        Matcher used = USED.matcher(heap);
        long bytes = 0;
        while (used.find()) {
            bytes += Long.parseLong(used.group(1)) * 1024;
        }
        if (bytes == 0) {
            throw new IOException("GC.heap_info: " + heap + " (expected: what the heap or each generation has used)");
        }
        return bytes;
    }

    private String jcmd(String command) throws IOException, InterruptedException {
        Process asking = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(process.pid()),
                        command)
                .redirectErrorStream(true)
                .start();
        String answer = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (asking.waitFor() != 0) {
            throw new IOException("jcmd " + command + ": " + answer);
        }
        return answer;
    }

    private long status(String field) {
        return family().mapToLong(each -> status(each.pid(), field)).sum();
    }

    private static long status(long pid, String field) {
        try (Stream<String> lines = Files.lines(Path.of("/proc", Long.toString(pid), "status"))) {
            return lines.filter(line -> line.startsWith(field))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                    .findFirst()
                    .orElse(0);
        } catch (IOException | java.io.UncheckedIOException gone) {
            return 0;
        }
    }

    private Stream<ProcessHandle> family() {
        return Stream.concat(Stream.of(process.toHandle()), process.descendants());
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException endingAnyway) {
            // The hook does it.
        }
        process.destroy();
        try {
            if (!process.waitFor(STOP.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
