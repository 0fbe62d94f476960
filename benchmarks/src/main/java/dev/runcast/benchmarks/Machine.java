package dev.runcast.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.stream.Stream;

/**
 * On what was measured.
 *
 * @param commit of the sources, with {@code -dirty} behind it when they were changed; {@code unknown} outside of git
 */
record Machine(String processor, int cores, long memoryMegabytes, String jdk, String os, String commit, String date) {
    static Machine here() {
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        return new Machine(
                processorName(),
                Runtime.getRuntime().availableProcessors(),
                system.getTotalMemorySize() / 1_000_000,
                System.getProperty("java.vm.name") + " " + Runtime.version(),
                System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
                        + System.getProperty("os.arch"),
                System.getProperty("runcast.commit", "unknown"),
                OffsetDateTime.now(Clock.systemUTC())
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString());
    }

    private static String processorName() {
        try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
            return lines.filter(line -> line.startsWith("model name"))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException notLinux) {
            return "unknown";
        }
    }
}
