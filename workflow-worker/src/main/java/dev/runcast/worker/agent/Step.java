package dev.runcast.worker.agent;

import dev.runcast.runner.ExecutionReporter;
import dev.runcast.workflow.FailureDetail;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;

/**
 * One step of an agent: what a second attempt either does as a whole or, when it is durable, leaves out. Whatever a step
 * begins to report it also finishes.
 */
sealed interface Step {
    /** Something is reported after a while. */
    record Beat(Duration pause, Consumer<ExecutionReporter> report) {}

    /** The agent says and does things, each in its time. */
    record Act(List<Beat> beats) implements Step {
        /** Copies the list. */
        public Act {
            beats = List.copyOf(beats);
        }
    }

    /** A tool is to be called, but a person has to say so first. */
    record Ask(String id, String tool, String arguments, String prompt, Duration takes) implements Step {}

    /** The agent fails and says so, as often as given; then the step is passed. */
    record Fail(FailureDetail failure, int times) implements Step {}

    /** The agent's code throws. */
    record Throw(String message, int times) implements Step {}

    /** The agent's code gives no sign of life, then goes on as if nothing had been. */
    record Hang(Duration takes, int times) implements Step {}

    /** The process dies. */
    record Crash(int times) implements Step {}
}
