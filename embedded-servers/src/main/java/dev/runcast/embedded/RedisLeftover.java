package dev.runcast.embedded;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Remembers in the data folder which process is its Redis, and ends one that its owner did not live to stop. */
final class RedisLeftover {

    private static final Logger LOG = LoggerFactory.getLogger(RedisLeftover.class);

    private static final String FILE = "redis.process";

    /** The start time the system tells of one process varies by a second when its clock is set. */
    private static final Duration TOLERANCE = Duration.ofSeconds(3);

    private RedisLeftover() {}

    static void remember(Path folder, ProcessHandle redis) throws IOException {
        ProcessHandle.Info info = redis.info();
        Files.write(
                folder.resolve(FILE),
                List.of(
                        Long.toString(redis.pid()),
                        Long.toString(info.startInstant().orElse(Instant.EPOCH).toEpochMilli()),
                        info.command().orElse("")));
    }

    static void forget(Path folder) throws IOException {
        Files.deleteIfExists(folder.resolve(FILE));
    }

    /** Ends the remembered process if it is still that one: process numbers come round again. */
    static void end(Path folder) throws IOException, InterruptedException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) {
            return;
        }
        Optional<ProcessHandle> leftover = remembered(Files.readAllLines(file));
        if (leftover.isPresent()) {
            LOG.warn(
                    "ending Redis process {}, left behind by a process that was killed",
                    leftover.get().pid());
            RedisProcess.end(leftover.get());
        }
        forget(folder);
    }

    private static Optional<ProcessHandle> remembered(List<String> lines) {
        if (lines.size() != 3) {
            return Optional.empty();
        }
        try {
            Instant start = Instant.ofEpochMilli(Long.parseLong(lines.get(1)));
            String command = lines.get(2);
            return ProcessHandle.of(Long.parseLong(lines.get(0)))
                    .filter(process -> !command.isEmpty()
                            && command.equals(process.info().command().orElse(null)))
                    .filter(process -> process.info()
                            .startInstant()
                            .map(now -> Duration.between(start, now).abs().compareTo(TOLERANCE) <= 0)
                            .orElse(false));
        } catch (NumberFormatException notWrittenByUs) {
            return Optional.empty();
        }
    }
}
