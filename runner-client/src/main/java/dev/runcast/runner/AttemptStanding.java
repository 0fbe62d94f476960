package dev.runcast.runner;

import dev.runcast.v1.Phase;

/** How an attempt stands with its execution: what {@link ExecutionReporter#attach} waits for. */
public sealed interface AttemptStanding {

    /** The attempt's updates count: run the agent. */
    record Adopted() implements AttemptStanding {}

    /** A newer attempt counts: do not run the agent, and stop it if it runs. */
    record Fenced() implements AttemptStanding {}

    /**
     * The execution has ended: there is nothing to run.
     *
     * @param outcome its terminal phase; unspecified when the server did not say
     */
    record Closed(Phase outcome) implements AttemptStanding {}
}
