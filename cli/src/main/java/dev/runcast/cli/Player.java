package dev.runcast.cli;

import com.google.protobuf.util.Timestamps;
import dev.runcast.recording.Recording;
import dev.runcast.recording.Script;
import dev.runcast.runner.AttemptStanding;
import dev.runcast.runner.ExecutionReporter;
import dev.runcast.runner.SignalListener;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Plays recordings as a runner would report them: one attempt at a time for each execution, over one
 * shared reporter. Thread-safe; a call blocks for as long as the conversation takes.
 */
final class Player {
    private final StatusReporter reporter;
    private final double speed;
    private final Duration patience;
    private final InstantSource clock;

    /** What became of one execution. */
    sealed interface Result {
        /** It was played to its end, and the end is merged. */
        record Played(Phase outcome) implements Result {}

        /** It had ended before, and was left as it was. */
        record AlreadyEnded(Phase outcome) implements Result {}

        /** A newer attempt took it over. */
        record Superseded() implements Result {}

        /** Nobody confirmed within the patience; what was reported may still arrive. */
        record Unconfirmed(String what) implements Result {}
    }

    /**
     * A player over this reporter.
     *
     * @param speed how many times faster than an agent, greater than 0; infinite means without any pause
     * @param patience the longest wait for the pipeline to confirm a beginning or an end
     */
    Player(StatusReporter reporter, double speed, Duration patience, InstantSource clock) {
        this.reporter = reporter;
        this.speed = speed;
        this.patience = patience;
        this.clock = clock;
    }

    /** Plays a recording as the execution of this id, as a new attempt if it has not ended. */
    Result play(Recording recording, String executionId) throws InterruptedException {
        CompletableFuture<Phase> closed = new CompletableFuture<>();
        CompletableFuture<Boolean> fenced = new CompletableFuture<>();
        SignalListener signals = new SignalListener() {
            @Override
            public void closed(Phase outcome) {
                closed.complete(outcome);
            }

            @Override
            public void fenced() {
                fenced.complete(true);
            }
        };
        ExecutionReporter execution = reporter.execution(executionId, clock.millis());
        execution.listen(signals);
        AttemptStanding standing;
        try {
            standing = execution
                    .attach("runcast play", "")
                    .toCompletableFuture()
                    .get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return new Result.Unconfirmed("the beginning");
        } catch (ExecutionException e) {
            throw new CommandFailure(executionId + ": " + e.getCause(), e);
        }
        if (standing instanceof AttemptStanding.Closed ended) {
            return new Result.AlreadyEnded(ended.outcome());
        }
        if (standing instanceof AttemptStanding.Fenced) {
            return new Result.Superseded();
        }
        report(recording, execution, fenced);
        if (fenced.isDone()) {
            return new Result.Superseded();
        }
        try {
            return new Result.Played(closed.get(patience.toMillis(), TimeUnit.MILLISECONDS));
        } catch (TimeoutException e) {
            return new Result.Unconfirmed("the end");
        } catch (ExecutionException e) {
            throw new IllegalStateException("nobody completes it exceptionally", e);
        }
    }

    private void report(Recording recording, ExecutionReporter execution, CompletableFuture<Boolean> fenced)
            throws InterruptedException {
        execution.declared(
                ExecutionSpec.newBuilder()
                        .setAgent(recording.agent())
                        .setSessionId(recording.sessionId())
                        .build(),
                recording.labels());
        for (Script.Step step : Script.of(recording, () -> Timestamps.fromMillis(clock.millis()))) {
            if (fenced.isDone()) {
                return;
            }
            pause(step.pauseMillis());
            if (step instanceof Script.Append append) {
                execution.appendText(append.entryId(), append.text());
            } else if (step instanceof Script.Report report) {
                execution.update(report.update().get());
            }
        }
        switch (recording.outcome()) {
            case PHASE_FAILED ->
                execution.failed(recording.failure() == null ? Failure.getDefaultInstance() : recording.failure());
            case PHASE_CANCELLED -> execution.cancelled("");
            default -> execution.completed();
        }
    }

    private void pause(long agentMillis) throws InterruptedException {
        // The agent's own time, not a wait for anything.
        TimeUnit.MICROSECONDS.sleep((long) (agentMillis * 1000 / speed));
    }
}
