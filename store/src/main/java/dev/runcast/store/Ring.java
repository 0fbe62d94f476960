package dev.runcast.store;

import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;

/** What a {@link ChangeBell} says. */
public sealed interface Ring {
    /** The subscription stands from here on. What rang before is unknown, at the first as at every later time. */
    record Subscribed() implements Ring {}

    /** These changes were made. */
    record Changes(ChangeBatch batch) implements Ring {}

    /**
     * More was made than is said here; the history has it, now or soon.
     *
     * @param version there are changes up to at least this version; 0 when not known
     */
    record Fetch(long version) implements Ring {}

    /** An execution's row, with absent message fields meaning unchanged. */
    record Row(Execution execution) implements Ring {}
}
