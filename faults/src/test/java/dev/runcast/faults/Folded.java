package dev.runcast.faults;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.OracleFold;
import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import java.util.ArrayList;
import java.util.List;

/**
 * What must have become of an execution's log, by the oracle.
 *
 * @param updates every update in the log, in its order
 * @param changes the changes, without the message for a person in a request's outcome
 */
record Folded(List<Outcome> updates, List<Change> changes, Execution execution, List<Entry> entries) {

    /**
     * Whose update it is.
     *
     * @param requestId empty for one of a stream
     * @param sequence 0 for a request
     */
    record Name(String executionId, Writer writer, long epoch, String requestId, long sequence) {
        static Name of(UpdateBatch batch, int index) {
            return batch.hasRequestId()
                    ? new Name(batch.getExecutionId(), batch.getWriter(), 0, batch.getRequestId(), 0)
                    : new Name(
                            batch.getExecutionId(),
                            batch.getWriter(),
                            batch.getEpoch(),
                            "",
                            batch.getFirstSequence() + index);
        }

        /** The same stream's other update. */
        Name at(long other) {
            return new Name(executionId, writer, epoch, requestId, other);
        }
    }

    /**
     * An update in the log and what became of it: {@code APPLIED}, {@code DUPLICATE}, or {@code REJECTED} and why.
     *
     * @param index in its batch
     */
    record Outcome(Name name, Update update, int partition, long offset, int index, String outcome) {
        boolean applied() {
            return outcome.equals("APPLIED");
        }

        boolean rejected() {
            return outcome.startsWith("REJECTED");
        }

        /** Refused, though its sequence is still awaited. */
        boolean early() {
            return outcome.endsWith("SEQUENCE_GAP");
        }

        /** Fenced updates use no sequence up. */
        boolean fenced() {
            return outcome.endsWith("FENCED");
        }

        String reason() {
            return outcome.substring("REJECTED ".length());
        }
    }

    static Folded of(ExecutionKey key, List<History.Logged> log) {
        OracleFold oracle = new OracleFold();
        log.forEach(logged -> oracle.apply(logged.batch()));
        List<String> received = oracle.outcomes();
        List<Outcome> updates = new ArrayList<>();
        for (History.Logged logged : log) {
            UpdateBatch batch = logged.batch();
            for (int index = 0; index < batch.getUpdatesCount(); index++) {
                updates.add(new Outcome(
                        Name.of(batch, index),
                        batch.getUpdates(index),
                        logged.partition(),
                        logged.offset(),
                        index,
                        received.get(updates.size())));
            }
        }
        return new Folded(
                updates, oracle.changes(), oracle.execution(key.tenant(), key.executionId()), oracle.entries());
    }
}
