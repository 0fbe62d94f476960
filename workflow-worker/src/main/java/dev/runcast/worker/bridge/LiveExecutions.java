package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * The executions that have a workflow and have not ended, as far as the table of executions and the change feed say.
 * Those that ended lately are known too, so that their workflows are told. Thread-safe.
 */
final class LiveExecutions {
    /** After this whoever has to be told of an end has been told. */
    private static final Duration REMEMBERED = Duration.ofMinutes(10);

    /**
     * One execution.
     *
     * @param version the newest version that is known
     * @param begun the version at which the feed said that it was declared or goes on; 0 when it has not
     * @param epoch the newest attempt that is known of; 0 when there was none
     * @param phase without prefix
     * @param reason why it stands there
     * @param cancelRequested whether its end has been asked for
     * @param since when this instance first knew of it
     * @param ended whether it has ended
     */
    record Live(
            ExecutionKey key,
            long version,
            long begun,
            long epoch,
            String phase,
            String reason,
            boolean cancelRequested,
            Instant since,
            boolean ended) {
        private Live at(long newer) {
            return newer <= version
                    ? this
                    : new Live(key, newer, begun, epoch, phase, reason, cancelRequested, since, ended);
        }
    }

    private final ConcurrentMap<ExecutionKey, Live> known = new ConcurrentHashMap<>();
    private final InstantSource clock;
    private volatile boolean complete;

    LiveExecutions(InstantSource clock) {
        this.clock = clock;
    }

    /** A row of the table of executions that has our workflow. */
    void row(
            ExecutionKey key,
            long version,
            long epoch,
            String phase,
            String reason,
            boolean cancelRequested,
            boolean ended) {
        Instant now = clock.instant();
        known.compute(key, (same, before) -> {
            if (before == null && ended && !complete) {
                return null;
            }
            if (before != null && version < before.begun()) {
                // Of the time before it was recovered.
                return before;
            }
            Instant since = before == null || before.ended() != ended ? now : before.since();
            return new Live(
                    key,
                    before == null ? version : Math.max(version, before.version()),
                    before == null ? 0 : before.begun(),
                    epoch,
                    phase,
                    reason,
                    cancelRequested,
                    since,
                    ended);
        });
    }

    /** The feed says that it has been declared, or goes on. */
    void begins(ExecutionKey key, long version, long epoch) {
        Instant now = clock.instant();
        known.compute(
                key,
                (same, before) -> before != null && before.version() >= version && !before.ended()
                        ? before
                        : new Live(key, version, version, epoch, "PENDING", "", false, now, false));
    }

    /** The feed has come to this version. */
    void reached(ExecutionKey key, long version) {
        known.computeIfPresent(key, (same, before) -> before.at(version));
    }

    /** Whether its workflow may have to be told: also when the table has not been read to its end. */
    boolean mayHaveWorkflow(ExecutionKey key) {
        return !complete || known.containsKey(key);
    }

    /** Whether it is known not to have ended. Only an answer when {@link #isComplete()}. */
    boolean isLive(ExecutionKey key) {
        Live live = known.get(key);
        return live != null && !live.ended();
    }

    /** The table has been read to the end that it had. */
    void complete() {
        complete = true;
    }

    boolean isComplete() {
        return complete;
    }

    /** Those that have not ended; forgets those that ended long ago. */
    List<Live> live() {
        Instant old = clock.instant().minus(REMEMBERED);
        known.values().removeIf(live -> live.ended() && live.since().isBefore(old));
        return known.values().stream().filter(live -> !live.ended()).toList();
    }
}
