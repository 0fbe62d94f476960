package dev.runcast.runner;

import dev.runcast.v1.Phase;
import java.time.Duration;

/**
 * Told when the level of an execution changes; given to {@link ExecutionReporter#listen}. Called on a thread of the reporter's callback executor, never on the
 * agent's and never on the sender's; one after the other for one execution. What it throws is logged and counted.
 */
public interface SignalListener {

    /** The attempt's updates count. */
    default void adopted() {}

    /** Somebody asked for the end of the run: stop the agent and report {@code cancelled}. */
    default void cancelRequested() {}

    /** Somebody asked to hold the run. */
    default void paused() {}

    /** The run need no longer be held. */
    default void resumed() {}

    /** A newer attempt counts: stop the agent. What this attempt still had to send is void. */
    default void fenced() {}

    /** The execution has ended with that phase, whoever ended it. */
    default void closed(Phase outcome) {}

    /** Appended text is sent no more often than this; zero means at will. The reporter sees to it. */
    default void slowDown(Duration interval) {}
}
