package dev.runcast.merge;

import dev.runcast.v1.Change;
import dev.runcast.v1.RejectionReason;

/** What became of one update. */
public sealed interface Outcome {
    /**
     * It made the next version. A request that is refused at first sight does too, so that whoever asked reads the
     * answer ({@code request_outcome}) from the feed.
     *
     * @param change what it changed
     */
    record Applied(Change change) implements Outcome {}

    /** It was seen before: nothing happened. */
    record Duplicate() implements Outcome {
        static final Duplicate INSTANCE = new Duplicate();
    }

    /**
     * It was refused, and made no version.
     *
     * @param reason why
     * @param message for a person: the value and what was expected
     */
    record Rejected(RejectionReason reason, String message) implements Outcome {}
}
