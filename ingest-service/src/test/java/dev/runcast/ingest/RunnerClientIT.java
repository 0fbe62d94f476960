package dev.runcast.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.FlushResult;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.SpoolSettings;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Role;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runner client against the real door. */
class RunnerClientIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path folder;

    @Test
    void whatIsSpooledWhileThereIsNoDoorIsInTheLogBeforeTheNextAttempt() {
        long epoch = System.currentTimeMillis();
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")))) {
            int port;
            try (RunningDoor door = RunningDoor.start(kafka)) {
                port = door.port();
            }
            ReporterConfig config = ReporterConfig.of("localhost:" + port)
                    .withBackoff(Duration.ofMillis(20), Duration.ofMillis(500))
                    .withSpool(SpoolSettings.in(folder.resolve("spool")));
            StatusReporter first = StatusReporter.open(config);
            ExecutionReporter run = first.execution("run-1", epoch);
            for (int i = 0; i < 500; i++) {
                run.message("m" + i, Role.ROLE_AI, "message " + i);
            }
            run.completed();
            FlushResult closed = first.close(Duration.ofMillis(200));
            assertThat(closed.complete()).isFalse();
            assertThat(closed.kept()).isTrue();
            assertThat(closed.missing().get(0).updates()).isEqualTo(501);

            try (RunningDoor door = RunningDoor.start(kafka, "runcast.ingest.port=" + port);
                    StatusReporter second = StatusReporter.open(config)) {
                assertThat(door.port()).isEqualTo(port);
                second.execution("run-1", epoch + 1).attemptStarted("", "");
                assertThat(second.flush(PATIENCE).complete()).isTrue();
            }
            List<UpdateBatch> batches = Log.of(kafka).batches("default/run-1");
            List<Update> updates = batches.stream()
                    .flatMap(batch -> batch.getUpdatesList().stream())
                    .toList();
            assertThat(updates.size()).isEqualTo(502);
            for (int i = 0; i < 500; i++) {
                assertThat(updates.get(i).getEntryUpserted().getEntry().getEntryId())
                        .isEqualTo("m" + i);
            }
            assertThat(updates.get(500).getPhaseChanged().getPhase()).isEqualTo(Phase.PHASE_COMPLETED);
            assertThat(batches.get(batches.size() - 1).getEpoch()).isEqualTo(epoch + 1);
        }
    }
}
