package dev.runcast.runner;

import java.util.List;

/**
 * What a flush came to. What a fenced attempt still had is void and does not count as missing; see
 * {@link ReporterStats#discarded()}.
 *
 * @param complete whether everything that was reported before the flush is acked, and so durable
 * @param missing the executions of which something is not
 */
public record FlushResult(boolean complete, List<Missing> missing) {
    static final FlushResult COMPLETE = new FlushResult(true, List.of());

    /** Copies the list. */
    public FlushResult {
        missing = List.copyOf(missing);
    }

    static FlushResult of(List<Missing> missing) {
        return missing.isEmpty() ? COMPLETE : new FlushResult(false, missing);
    }

    /**
     * What is not durable of one execution.
     *
     * @param executionId the execution
     * @param writerName the writer's name; empty for the only one
     * @param epoch its attempt
     * @param updates how many reported updates are not acked, from 1
     * @param finalStatus whether the terminal phase is among them
     * @param spooled after a close: all of them are in the spool, and the next process that is given its folder sends
     *     them. False when there is no spool, it failed, or the reporter goes on
     */
    public record Missing(
            String executionId, String writerName, long epoch, long updates, boolean finalStatus, boolean spooled) {}

    /** Whether nothing is lost with the process: what is not durable is in the spool. */
    public boolean kept() {
        return missing.stream().allMatch(Missing::spooled);
    }
}
