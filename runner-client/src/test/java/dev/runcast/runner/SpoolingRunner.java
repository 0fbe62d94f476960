package dev.runcast.runner;

import dev.runcast.v1.Role;
import java.nio.file.Path;
import java.time.Duration;

/** A runner of its own process, for who wants to kill it: reports for ever, and says how much of it is in its spool. */
final class SpoolingRunner {
    private SpoolingRunner() {}

    /** Arguments: the door, the folder, the epoch; a fourth one has it only send what the folder has. */
    public static void main(String[] arguments) throws InterruptedException {
        ReporterConfig config = ReporterConfig.of(arguments[0])
                .withBackoff(Duration.ofMillis(20), Duration.ofMillis(200))
                .withSpool(SpoolSettings.in(Path.of(arguments[1])));
        StatusReporter reporter = StatusReporter.open(config);
        if (arguments.length > 3) {
            System.out.println(reporter.close(Duration.ofSeconds(30)).complete());
            return;
        }
        ExecutionReporter run = reporter.execution("run-1", Long.parseLong(arguments[2]));
        for (int i = 0; ; i++) {
            run.message("m" + i, Role.ROLE_AI, "message " + i);
            while (reporter.stats().spooled() <= i) {
                Thread.sleep(1);
            }
            System.out.println(i + 1);
        }
    }
}
