package dev.runcast.sink;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Entry;
import dev.runcast.v1.TextChange;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The changes of one poll, by execution: what is stored already is left out, and what follows it is put together. A hole
 * is not written over, since the history would lie; the execution then stays where it is until it is repaired from the
 * log. Not thread-safe.
 */
final class ChangeFold {
    private final Map<ExecutionKey, Long> versions;
    private final Map<ExecutionKey, ChangeBatch.Builder> batches = new LinkedHashMap<>();
    private long bytes;

    /** @param stored the stored version of each execution that comes; none means that nothing is stored */
    ChangeFold(Map<ExecutionKey, Long> stored) {
        this.versions = new LinkedHashMap<>(stored);
    }

    /** What became of a batch of the feed. */
    sealed interface Added {
        /**
         * It was taken.
         *
         * @param changes how many of its changes were new
         * @param repeated how many were stored before
         */
        record Taken(int changes, int repeated) implements Added {}

        /** Versions are missing between what is stored and the batch. */
        record Gap(long expected, long found) implements Added {
            String message() {
                return "first_version: %d (expected: %d or less)".formatted(found, expected);
            }
        }

        /** It is not what the feed holds, in words for a person. */
        record Invalid(String message) implements Added {}
    }

    /** Takes a batch of the feed; all of it or, when something is wrong with it, nothing. */
    Added add(ChangeBatch batch) {
        String problem = problemOf(batch);
        if (problem != null) {
            return new Added.Invalid(problem);
        }
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        long stored = versions.getOrDefault(key, 0L);
        long first = batch.getChanges(0).getFirstVersion();
        if (first > stored + 1) {
            return new Added.Gap(stored + 1, first);
        }
        int repeated = 0;
        for (Change change : batch.getChangesList()) {
            if (change.getVersion() <= stored) {
                repeated++;
            } else {
                batches.computeIfAbsent(key, ChangeFold::begin).addChanges(change);
                bytes += change.getSerializedSize();
                stored = change.getVersion();
            }
        }
        versions.put(key, stored);
        return new Added.Taken(batch.getChangesCount() - repeated, repeated);
    }

    /** What is to be written: one batch for each execution that has something new. */
    List<ChangeBatch> changes() {
        return batches.values().stream().map(ChangeBatch.Builder::build).toList();
    }

    /** The version of each execution once that is written. */
    Map<ExecutionKey, Long> versions() {
        return versions;
    }

    /** What is stored of an execution is gone: it begins anew. To be called when everything is written. */
    void forget(ExecutionKey key) {
        versions.remove(key);
    }

    /** That is written: what comes now follows it. */
    void written() {
        batches.clear();
        bytes = 0;
    }

    /** About how much there is to be written, in bytes. */
    long bytes() {
        return bytes;
    }

    private static ChangeBatch.Builder begin(ExecutionKey key) {
        return ChangeBatch.newBuilder().setTenant(key.tenant()).setExecutionId(key.executionId());
    }

    private static @Nullable String problemOf(ChangeBatch batch) {
        if (batch.getChangesCount() == 0) {
            return "changes: none (expected: 1 or more)";
        }
        long expected = batch.getChanges(0).getFirstVersion();
        if (expected < 1) {
            return "first_version: %d (expected: 1 or greater)".formatted(expected);
        }
        for (Change change : batch.getChangesList()) {
            if (change.getFirstVersion() != expected || change.getVersion() != expected) {
                return "versions: %d to %d (expected: %d alone)"
                        .formatted(change.getFirstVersion(), change.getVersion(), expected);
            }
            String problem = problemOf(change);
            if (problem != null) {
                return problem;
            }
            expected++;
        }
        return null;
    }

    private static @Nullable String problemOf(Change change) {
        Set<String> records = new HashSet<>();
        for (Entry entry : change.getEntriesList()) {
            if (entry.getOrdinal() < 1) {
                return "ordinal of entry \"%s\": %d (expected: 1 or greater)"
                        .formatted(entry.getEntryId(), entry.getOrdinal());
            }
            records.add(entry.getEntryId());
        }
        for (TextChange text : change.getTextsList()) {
            if (!records.contains(text.getEntryId())) {
                return "text of entry \"%s\" in version %d: without the entry's record (expected: with it)"
                        .formatted(text.getEntryId(), change.getVersion());
            }
        }
        return null;
    }
}
