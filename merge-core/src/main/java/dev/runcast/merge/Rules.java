package dev.runcast.merge;

/**
 * Where the numbers of the rules differ, each number a row. A released row never changes, and nothing else in the merge
 * looks at a number.
 *
 * @param endShutsOutLaterAttempts an attempt that began after the end of the run is refused as CLOSED, when an attempt
 *     has been adopted before; else its first content adopts it and may write over entries of the attempt that ended
 * @param givesUpWaiting of more than 32 waiting streams the oldest attempt is fenced for good; else its stream is
 *     forgotten, and when it comes back it is asked for what it has long been acked
 * @param upsertedBytes the largest record that an upsert may leave behind
 * @param touchedBytes the largest record that anything else may leave behind: an append, a decision, the end
 * @param listBytes the largest sum of the records that one list of todos may rewrite
 * @param unknownFields how many values that this build does not know an update and an entry may hold
 * @param forgetsByLogTime what comes more than 30 days after the end begins a new execution, whether the header has left
 *     the state or not; else it is refused as CLOSED as long as the header is there
 * @param namesWritersPlainly a change names its writer without what else the writer said of itself
 * @param endsAsItsWorkflowDid LOST with an outcome ends an execution that has a workflow; else an outcome is not looked at,
 *     and LOST is refused for one with a workflow
 * @param recoverRepeatsSpec the change of a RECOVER that applies says again what was asked for
 */
record Rules(
        boolean endShutsOutLaterAttempts,
        boolean givesUpWaiting,
        int upsertedBytes,
        int touchedBytes,
        int listBytes,
        int unknownFields,
        boolean forgetsByLogTime,
        boolean namesWritersPlainly,
        boolean endsAsItsWorkflowDid,
        boolean recoverRepeatsSpec) {
    private static final int ANY = Integer.MAX_VALUE;

    private static final Rules FIRST = new Rules(
            false, false, Limits.ENTRY_RECORD_BYTES, Limits.ENTRY_RECORD_BYTES, ANY, ANY, false, false, false, false);

    private static final Rules SECOND = new Rules(
            true,
            true,
            Limits.ENTRY_RECORD_BYTES - Limits.SETTLEMENT_BYTES,
            // What is not an upsert fits into the room that every upsert leaves: a test shows it.
            ANY,
            Limits.TODOS_BYTES,
            Limits.UNKNOWN_FIELDS,
            true,
            true,
            true,
            true);

    /** The rules of an execution. Of one that a newer build has begun the caller writes nothing: it stops. */
    static Rules of(int number) {
        return number == 1 ? FIRST : SECOND;
    }
}
