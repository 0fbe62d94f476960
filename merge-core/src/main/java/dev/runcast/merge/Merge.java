package dev.runcast.merge;

import dev.runcast.v1.UpdateBatch;
import java.time.Instant;
import java.util.List;

/**
 * What updates do to an execution. Pure: the same state and batch give the same result, on any machine, always, and
 * however the updates are cut into batches. Stateless, and so safe for any thread.
 */
public final class Merge {
    /** The newest rules this build knows. A released number never changes its meaning. */
    public static final int NEWEST_RULES = 2;

    /*
     * The way of an update. Validity asks whether the batch keeps to the contract at all. BatchMerge reads the header
     * once and takes the updates one by one: Gates refuses what is closed or fenced, Sequences and Requests tell news
     * from repeats, Permissions asks who may say this, Lifecycle adopts a newer attempt, Kinds leads to the rules of
     * each kind of update (Declarations, Lifecycle, Entries, Texts, Todos, Approvals, Controls). They work on a draft
     * (Work) that holds as a whole or is put back as a whole. What holds becomes the next version's Change, and at the
     * end each record that changed is written once.
     */
    private Merge() {}

    /**
     * Merges one batch into the state of its execution. Never throws for a batch that could be parsed: what is wrong
     * with it comes back as rejections. The caller stops before a batch whose rules are above {@link #NEWEST_RULES}.
     *
     * @throws IllegalStateException when the store holds what no merge has written
     */
    public static MergeResult apply(StateReader state, UpdateBatch batch) {
        Refusal refusal = Validity.ofBatch(batch);
        return refusal == null ? new BatchMerge(state, batch).run() : Results.refused(batch, refusal);
    }

    /**
     * Says what may leave the state: entries 25 hours of log time after the end of their execution, headers 30 days
     * and an hour after it. Makes no change, and is safe to call as seldom or as often as one likes.
     *
     * @param logTime the largest {@code received_at} that the caller has seen
     * @param limit about how many records are looked at, 1 or greater
     */
    public static List<StateWrite> expire(StateReader state, Instant logTime, int limit) {
        return Expiry.due(state, logTime, limit);
    }
}
