package dev.runcast.sink;

import dev.runcast.sink.Finding.Verdict;
import java.time.Duration;
import java.util.List;

/**
 * What a rebuild found and did.
 *
 * @param records records of the log that were read, whatever they held
 * @param updates updates in them
 * @param executions executions that the log makes
 * @param equal how many of them are stored as the log makes them
 * @param findings all others, before anything was replaced
 * @param replaced how many were written anew
 * @param fold how long merging the log again took
 * @param total how long everything took
 */
public record RebuildReport(
        long records,
        long updates,
        long executions,
        long equal,
        List<Finding> findings,
        long replaced,
        Duration fold,
        Duration total) {
    /** Copies the list. */
    public RebuildReport {
        findings = List.copyOf(findings);
    }

    /** Whether every execution is stored as the log makes it, and no other. */
    public boolean allEqual() {
        return findings.isEmpty() && equal == executions;
    }

    /** How many executions were found so. */
    public long count(Verdict verdict) {
        return verdict == Verdict.EQUAL
                ? equal
                : findings.stream()
                        .filter(finding -> finding.verdict() == verdict)
                        .count();
    }

    /** How many updates were folded in a second. */
    public long updatesPerSecond() {
        return fold.isZero() ? 0 : updates * 1_000_000_000L / fold.toNanos();
    }
}
