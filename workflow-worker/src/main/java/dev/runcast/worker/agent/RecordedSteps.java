package dev.runcast.worker.agent;

import com.google.protobuf.Timestamp;
import dev.runcast.recording.Recording;
import dev.runcast.recording.Script;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Update;
import dev.runcast.worker.agent.Step.Act;
import dev.runcast.worker.agent.Step.Beat;
import dev.runcast.worker.agent.Step.Fail;
import dev.runcast.workflow.FailureDetail;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A recorded conversation as an agent's steps: cut where no message grows and no tool runs, so that an attempt that goes
 * on there leaves nothing half said.
 */
final class RecordedSteps {
    private RecordedSteps() {}

    static List<Step> of(Recording recording) {
        List<Step> steps = new ArrayList<>();
        List<Beat> beats = new ArrayList<>();
        Set<String> open = new HashSet<>();
        for (Script.Step step : Script.of(recording, RecordedSteps::now)) {
            Duration pause = Duration.ofMillis(step.pauseMillis());
            if (step instanceof Script.Append append) {
                beats.add(new Beat(pause, execution -> execution.appendText(append.entryId(), append.text())));
            } else if (step instanceof Script.Report report) {
                beats.add(new Beat(
                        pause, execution -> execution.update(report.update().get())));
                follow(open, report.update().get());
            }
            if (open.isEmpty()) {
                steps.add(new Act(beats));
                beats = new ArrayList<>();
            }
        }
        if (!beats.isEmpty()) {
            steps.add(new Act(beats));
        }
        if (recording.outcome() != Phase.PHASE_COMPLETED) {
            steps.add(new Fail(
                    recording.failure() == null
                            ? new FailureDetail("AGENT_FAILED", "as recorded", false)
                            : new FailureDetail(
                                    recording.failure().getCode(),
                                    recording.failure().getMessage(),
                                    recording.failure().getRetryable()),
                    1));
        }
        return steps;
    }

    private static void follow(Set<String> open, Update update) {
        if (update.hasEntryUpserted()) {
            Entry entry = update.getEntryUpserted().getEntry();
            if (entry.getState() == EntryState.ENTRY_STATE_RUNNING) {
                open.add(entry.getEntryId());
            } else {
                open.remove(entry.getEntryId());
            }
        }
    }

    private static Timestamp now() {
        Instant now = Instant.now();
        return Timestamp.newBuilder()
                .setSeconds(now.getEpochSecond())
                .setNanos(now.getNano())
                .build();
    }
}
