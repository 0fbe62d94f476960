package dev.runcast.benchmarks;

import java.time.Duration;

/**
 * How much is measured.
 *
 * @param rounds how often each side has its turn after warming up
 * @param publishFor how long one turn of the ingest row takes
 * @param mergedInBatches updates one drain merges in batches of 20
 * @param mergedSingly updates one drain merges, or aggregates, at one update a record
 * @param watchFor how long one turn of the latency row takes
 * @param warmUpFor how long what people watch is exercised before
 * @param longRun how many updates a long execution has
 * @param costExecutions how many executions of each length are compared
 * @param costUpdates how many updates each of them then gets
 * @param reporterCalls how many calls of the reporter are timed
 * @param patience after this a row has failed
 */
record Scale(
        String name,
        int rounds,
        Duration publishFor,
        int mergedInBatches,
        int mergedSingly,
        Duration watchFor,
        Duration warmUpFor,
        int longRun,
        int costExecutions,
        int costUpdates,
        int reporterCalls,
        Duration patience) {
    /** All rows in some 20 minutes on two cores. */
    static final Scale FULL = new Scale(
            "full",
            5,
            Duration.ofSeconds(6),
            1_000_000,
            400_000,
            Duration.ofSeconds(10),
            Duration.ofSeconds(12),
            10_000,
            20,
            50,
            50_000,
            Duration.ofMinutes(10));

    /** All rows in some 8 minutes. */
    static final Scale QUICK = new Scale(
            "quick",
            2,
            Duration.ofMillis(2500),
            300_000,
            120_000,
            Duration.ofSeconds(5),
            Duration.ofSeconds(6),
            10_000,
            20,
            50,
            20_000,
            Duration.ofMinutes(4));

    /** Only to see that each row measures something. */
    static final Scale TINY = new Scale(
            "tiny",
            1,
            Duration.ofMillis(500),
            4_000,
            1_000,
            Duration.ofSeconds(1),
            Duration.ofMillis(500),
            200,
            2,
            20,
            2_000,
            Duration.ofMinutes(4));

    /** The same with more or less patience. */
    Scale patient(Duration time) {
        return new Scale(
                name,
                rounds,
                publishFor,
                mergedInBatches,
                mergedSingly,
                watchFor,
                warmUpFor,
                longRun,
                costExecutions,
                costUpdates,
                reporterCalls,
                time);
    }
}
