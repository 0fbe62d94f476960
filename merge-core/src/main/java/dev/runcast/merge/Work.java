package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import dev.runcast.state.v1.OutcomeRecord;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Decision;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WriterKind;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one update works on: who writes, the execution, its entries and cold records. A kind of update changes these
 * and says at any point, by returning a refusal, that none of it holds.
 */
final class Work {
    final StateKeys keys;
    final UpdateBatch batch;
    final WriterKind kind;
    final boolean named;
    /** The runner's attempt; 0 when the writer takes no part in fencing. */
    final long epoch;
    /** The largest received_at that the execution has seen, this batch's included. */
    final Timestamp logTime;

    final Rules rules;
    final ExecutionState execution;
    final EntryTable entries;
    final Records records;

    /** What the present update says of itself beside the state: set by its kind, cleared between updates. */
    long omitted;

    Decision decision = Decision.DECISION_UNSPECIFIED;
    String decidedBy = "";

    /** The change is to say again what was asked for, for whoever goes on with the run. */
    boolean repeatsSpec;

    Work(
            StateKeys keys,
            UpdateBatch batch,
            Timestamp logTime,
            Rules rules,
            ExecutionState execution,
            EntryTable entries,
            Records records) {
        this.keys = keys;
        this.batch = batch;
        this.kind = batch.getWriter().getKind();
        this.named = !batch.getWriter().getName().isEmpty();
        this.epoch = epochOf(batch);
        this.logTime = logTime;
        this.rules = rules;
        this.execution = execution;
        this.entries = entries;
        this.records = records;
    }

    /** The attempt that a batch belongs to; what others than runners say of attempts is not looked at. */
    static long epochOf(UpdateBatch batch) {
        return batch.getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER ? batch.getEpoch() : 0;
    }

    /** The version that the update makes if it holds. */
    long nextVersion() {
        return execution.version + 1;
    }

    void clearNotes() {
        omitted = 0;
        decision = Decision.DECISION_UNSPECIFIED;
        decidedBy = "";
        repeatsSpec = false;
    }

    /** What was asked for, without the input; null when nothing has been declared. */
    @Nullable
    ExecutionSpec spec() {
        return records.get(keys.one(StateKeys.SPEC), ExecutionSpec.parser());
    }

    /** What was asked for, with the input; null when nothing has been declared. */
    @Nullable
    ExecutionSpec specWithInput() {
        ExecutionSpec spec = spec();
        if (spec == null) {
            return null;
        }
        ExecutionSpec input = records.get(keys.one(StateKeys.INPUT), ExecutionSpec.parser());
        return input == null
                ? spec
                : spec.toBuilder().setInput(input.getInput()).build();
    }

    /** The input lies in a record of its own, so that a row of the table of executions costs no transcript. */
    void declare(ExecutionSpec spec) {
        records.put(
                keys.one(StateKeys.SPEC),
                ExecutionSpec.parser(),
                spec.toBuilder().clearInput().build());
        if (!spec.getInput().isEmpty()) {
            records.put(
                    keys.one(StateKeys.INPUT),
                    ExecutionSpec.parser(),
                    ExecutionSpec.newBuilder().setInput(spec.getInput()).build());
        }
        execution.hasWorkflow = !spec.getWorkflowId().isEmpty();
    }

    ExecutionAttributes attributes() {
        return Objects.requireNonNullElse(
                records.get(keys.one(StateKeys.ATTRIBUTES), ExecutionAttributes.parser()),
                ExecutionAttributes.getDefaultInstance());
    }

    void setAttributes(ExecutionAttributes attributes) {
        records.put(
                keys.one(StateKeys.ATTRIBUTES), ExecutionAttributes.parser(), isEmpty(attributes) ? null : attributes);
    }

    /** The newest attempt that said so; null when none has. */
    @Nullable
    Attempt attempt() {
        return records.get(keys.one(StateKeys.ATTEMPT), Attempt.parser());
    }

    void setAttempt(Attempt attempt) {
        records.put(keys.one(StateKeys.ATTEMPT), Attempt.parser(), attempt);
    }

    OutcomeRecord outcome() {
        return Objects.requireNonNullElse(
                records.get(keys.one(StateKeys.OUTCOME), OutcomeRecord.parser()), OutcomeRecord.getDefaultInstance());
    }

    void setFailure(Failure failure) {
        OutcomeRecord.Builder outcome = outcome().toBuilder();
        setOutcome(isEmpty(failure) ? outcome.clearFailure() : outcome.setFailure(failure));
    }

    void setLateOutcome(LateOutcome late) {
        setOutcome(outcome().toBuilder().setLateOutcome(late));
    }

    void clearOutcome() {
        setOutcome(OutcomeRecord.newBuilder());
    }

    private void setOutcome(OutcomeRecord.Builder outcome) {
        OutcomeRecord record = outcome.build();
        records.put(
                keys.one(StateKeys.OUTCOME), OutcomeRecord.parser(), record.getSerializedSize() == 0 ? null : record);
    }

    static boolean isEmpty(com.google.protobuf.MessageLite message) {
        return message.getSerializedSize() == 0;
    }
}
