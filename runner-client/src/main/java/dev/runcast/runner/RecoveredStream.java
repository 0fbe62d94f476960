package dev.runcast.runner;

import dev.runcast.spool.v1.SpooledUpdates;
import dev.runcast.spool.v1.StreamProgress;
import dev.runcast.spool.v1.TextLength;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What a spool knows of one writer, put together from its records in their order. Not thread-safe. */
final class RecoveredStream {
    private final TreeMap<Long, Run> runs = new TreeMap<>();
    private TextLengths lengths = new TextLengths();
    private long acked;
    private long next = 1;
    private long finalSequence;

    /** Takes a record of updates: what it has counts before what was known of the same sequences. */
    void take(SpooledUpdates record, SpoolSegment segment, long offset, int length) {
        UpdateBatch batch = record.getBatch();
        long first = batch.getFirstSequence();
        long last = first + batch.getUpdatesCount() - 1;
        long calls = 0;
        for (int i = 0; i < batch.getUpdatesCount(); i++) {
            Update update = batch.getUpdates(i);
            calls += i < record.getCallsCount() ? record.getCalls(i) : 1;
            if (!record.getAgain()) {
                lengths.follow(update);
                if (finalSequence == 0 && Changes.terminal(update)) {
                    finalSequence = first + i;
                }
            }
        }
        segment.wrote(batch.getUpdatesCount());
        next = Math.max(next, last + 1);
        if (last > acked) {
            put(new Run(first, last, 0, calls, segment, offset, length, null));
        }
    }

    void take(StreamProgress progress) {
        acked = Math.max(acked, progress.getAcked());
        next = Math.max(next, Math.max(acked + 1, progress.getNext()));
        finalSequence = progress.getFinalSequence();
        runs.headMap(acked, true).values().removeIf(run -> run.last() <= acked);
        if (progress.getWithTexts()) {
            lengths = new TextLengths();
            for (TextLength text : progress.getTextsList()) {
                lengths.set(new Pending.TextKey(text.getEntryId(), text.getField()), text.getLength());
            }
        }
    }

    /** What is not acked, without a hole: what the spool lost is a {@link Run#hole}. */
    List<Run> pending() {
        List<Run> pending = new ArrayList<>();
        long expected = acked + 1;
        for (Run run : runs.values()) {
            Run rest = run.first() < expected ? run.from(expected) : run;
            if (rest.first() > expected) {
                pending.add(Run.hole(expected, rest.first() - 1));
            }
            pending.add(rest);
            expected = rest.last() + 1;
        }
        if (expected < next) {
            pending.add(Run.hole(expected, next - 1));
        }
        return pending;
    }

    /** Everything up to this sequence is durable. */
    long acked() {
        return acked;
    }

    /** The sequence that the next update gets. */
    long next() {
        return next;
    }

    /** The sequence of the first terminal phase; 0 when there is none. */
    long finalSequence() {
        return finalSequence;
    }

    TextLengths lengths() {
        return lengths;
    }

    private void put(Run run) {
        Map.Entry<Long, Run> newest = runs.lastEntry();
        if (newest != null && newest.getValue().last() < run.first()) {
            Run joined = newest.getValue().join(run);
            if (joined == null) {
                runs.put(run.first(), run);
            } else {
                runs.put(joined.first(), joined);
            }
            return;
        }
        Map.Entry<Long, Run> before = runs.lowerEntry(run.first());
        if (before != null && before.getValue().last() >= run.first()) {
            Run split = before.getValue();
            runs.put(split.first(), split.until(run.first()));
            if (split.last() > run.last()) {
                runs.put(run.last() + 1, split.from(run.last() + 1));
            }
        }
        Map.Entry<Long, Run> at = runs.ceilingEntry(run.first());
        while (at != null && at.getKey() <= run.last()) {
            runs.remove(at.getKey());
            if (at.getValue().last() > run.last()) {
                runs.put(run.last() + 1, at.getValue().from(run.last() + 1));
            }
            at = runs.ceilingEntry(run.first());
        }
        runs.put(run.first(), run);
    }
}
