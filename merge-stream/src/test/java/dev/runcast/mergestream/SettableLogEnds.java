package dev.runcast.mergestream;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Ends of the log as a test sets them. */
final class SettableLogEnds implements LogEnds {
    final Set<Integer> watched = new HashSet<>();
    private @Nullable LogEnd answer;

    @Override
    public void watch(int partition) {
        watched.add(partition);
    }

    @Override
    public void forget(int partition) {
        watched.remove(partition);
    }

    @Override
    public @Nullable LogEnd newest(int partition) {
        return answer;
    }

    void set(long askedAt, long updatesEnd, long heartbeatsEnd) {
        answer = new LogEnd(askedAt, new Reach(0, updatesEnd), new Reach(0, heartbeatsEnd));
    }
}
