package dev.runcast.mergestream;

import dev.runcast.merge.Outcome;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.VerdictKind;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What became of updates, counted where it happens. A transaction that is aborted and done again is counted twice; the
 * exact numbers are in the history. Thread-safe.
 */
final class MergeMetrics {
    private final Counter batches;
    private final Counter applied;
    private final Counter duplicate;
    private final Map<RejectionReason, Counter> rejected = new EnumMap<>(RejectionReason.class);
    private final Counter poison;
    private final Counter unreadableHeartbeats;
    private final Map<VerdictKind, Counter> verdicts = new EnumMap<>(VerdictKind.class);
    private final Counter verdictsNotSent;
    private final Counter hangingEnded;
    private final Counter hangingLeft;

    MergeMetrics(MeterRegistry registry) {
        batches = registry.counter("runcast.merge.batches");
        applied = registry.counter("runcast.merge.updates", "outcome", "applied", "reason", "none");
        duplicate = registry.counter("runcast.merge.updates", "outcome", "duplicate", "reason", "none");
        for (RejectionReason reason : RejectionReason.values()) {
            rejected.put(
                    reason,
                    registry.counter(
                            "runcast.merge.updates",
                            "outcome",
                            "rejected",
                            "reason",
                            word(reason.name(), "REJECTION_REASON_")));
        }
        poison = registry.counter("runcast.merge.poison");
        unreadableHeartbeats = registry.counter("runcast.merge.heartbeats.unreadable");
        for (VerdictKind kind : VerdictKind.values()) {
            verdicts.put(
                    kind, registry.counter("runcast.watchdog.verdicts", "kind", word(kind.name(), "VERDICT_KIND_")));
        }
        verdictsNotSent = registry.counter("runcast.watchdog.verdicts.failed");
        hangingEnded = registry.counter("runcast.merge.transactions.hanging", "outcome", "ended");
        hangingLeft = registry.counter("runcast.merge.transactions.hanging", "outcome", "left");
    }

    void merged(List<Outcome> outcomes) {
        batches.increment();
        int appliedHere = 0;
        for (Outcome outcome : outcomes) {
            if (outcome instanceof Outcome.Applied) {
                appliedHere++;
            } else if (outcome instanceof Outcome.Rejected refusal) {
                count(rejected, refusal.reason());
            } else {
                duplicate.increment();
            }
        }
        if (appliedHere > 0) {
            applied.increment(appliedHere);
        }
    }

    void poison() {
        poison.increment();
    }

    void unreadableHeartbeat() {
        unreadableHeartbeats.increment();
    }

    void judged(VerdictKind kind) {
        count(verdicts, kind);
    }

    void verdictNotSent() {
        verdictsNotSent.increment();
    }

    void hangingTransaction(boolean ended) {
        (ended ? hangingEnded : hangingLeft).increment();
    }

    private static <K extends Enum<K>> void count(Map<K, Counter> counters, K which) {
        Counter counter = counters.get(which);
        if (counter != null) {
            counter.increment();
        }
    }

    private static String word(String name, String prefix) {
        String word = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
        return word.toLowerCase(Locale.ROOT);
    }
}
