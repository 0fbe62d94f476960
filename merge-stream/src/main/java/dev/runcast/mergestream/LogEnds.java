package dev.runcast.mergestream;

import dev.runcast.topics.Topic;
import org.jspecify.annotations.Nullable;

/** How far the log reaches: what the watchdog holds its own progress against. */
interface LogEnds {
    /** Begins to ask for a partition. */
    void watch(int partition);

    /** Ends to ask for a partition. */
    void forget(int partition);

    /** The newest answer for a partition, without waiting; null when there is none yet. Causes the next question. */
    @Nullable
    LogEnd newest(int partition);

    /**
     * One answer for one partition.
     *
     * @param askedAt when the question was sent, in milliseconds since 1970: what was appended before is below the ends
     * @param updates of {@link Topic#UPDATES}
     * @param heartbeats of {@link Topic#HEARTBEATS}
     */
    record LogEnd(long askedAt, Reach updates, Reach heartbeats) {}

    /**
     * How far a partition reaches and how far it is surely done.
     *
     * @param done the larger of its first offset and the group's committed one
     * @param end the offset that the next record gets
     */
    record Reach(long done, long end) {
        /**
         * Whether everything has been processed.
         *
         * @param processed the offset after the last processed record, 0 when none was
         */
        boolean isReachedBy(long processed) {
            return Math.max(done, processed) >= end;
        }
    }
}
