package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.v1.Update;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A runner's process is killed as with kill -9, and the next one is given its spool. */
@Timeout(120)
class KilledRunnerTest {
    private static final long EPOCH = 1_767_225_600_000L;

    @TempDir
    private Path folder;

    @Test
    void whatWasInTheSpoolOfAKilledProcessIsSentByTheNextOneInOrderAndOnce() throws Exception {
        try (FakeIngest ingest = new FakeIngest()) {
            // First it sends and gets no acks, then nobody listens.
            ingest.acks = false;
            long spooled = 0;
            Process runner = start(ingest, Long.toString(EPOCH));
            try (BufferedReader said = runner.inputReader(StandardCharsets.UTF_8)) {
                while (spooled < 1_000) {
                    spooled = Long.parseLong(said.readLine());
                    if (spooled == 500) {
                        ingest.stop();
                    }
                }
            } finally {
                runner.destroyForcibly();
            }
            assertThat(runner.waitFor(30, TimeUnit.SECONDS)).isTrue();
            ingest.acks = true;
            ingest.restart();

            Process next = start(ingest, Long.toString(EPOCH), "send");
            try (BufferedReader said = next.inputReader(StandardCharsets.UTF_8)) {
                assertThat(said.readLine()).as("all is acked").isEqualTo("true");
            }
            List<Update> log = ingest.log.updates(new StreamKey("run-1", "", EPOCH));
            assertThat(log.size()).isGreaterThanOrEqualTo(1_000);
            for (int i = 0; i < log.size(); i++) {
                assertThat(log.get(i).getEntryUpserted().getEntry().getEntryId())
                        .isEqualTo("m" + i);
            }
        }
    }

    private Process start(FakeIngest ingest, String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-cp",
                System.getProperty("java.class.path"),
                SpoolingRunner.class.getName(),
                ingest.target(),
                folder.toString()));
        command.addAll(List.of(more));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
