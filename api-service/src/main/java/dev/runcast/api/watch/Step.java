package dev.runcast.api.watch;

/** What a live viewer does next. */
sealed interface Step {
    /** Sends a change, or several folded, and stands at this version. */
    record Send(Frame frame, long version) implements Step {}

    /** Sends a sign of life. */
    record Remind(Frame frame, long ticks) implements Step {}

    /** Sends the end, and ends. */
    record End(Frame frame) implements Step {}

    /** Has nothing to do until it is called. */
    record Wait() implements Step {}

    /** Needs the state anew: what it misses is no longer here. */
    record FellOut() implements Step {}

    /** Needs the state anew: what it has seen is not in the store and has not come for long. */
    record NeverCame() implements Step {}

    /** Fails: the store has nothing of the execution for long, and nothing new has come. */
    record Lost() implements Step {}

    /** Needs the state anew: what comes next does not fit into a frame. */
    record TooLarge() implements Step {}

    /** Needs the state anew: it is another store's. */
    record Replaced() implements Step {}
}
