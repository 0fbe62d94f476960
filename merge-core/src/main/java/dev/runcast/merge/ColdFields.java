package dev.runcast.merge;

import dev.runcast.state.v1.OutcomeRecord;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionSpec;
import org.jspecify.annotations.Nullable;

/** The fields of an execution that lie in records of their own: in changes only what changed, in rows all but the bulk. */
final class ColdFields {
    private ColdFields() {}

    /** What the update drafted: a field that it clears is there and empty; null when it drafted none. */
    static Execution.@Nullable Builder changed(Work work) {
        if (!work.repeatsSpec && !work.records.hasDrafts()) {
            return null;
        }
        Execution.Builder changed = null;
        if (work.repeatsSpec || work.records.isDrafted(work.keys.one(StateKeys.SPEC))) {
            changed = Execution.newBuilder();
            ExecutionSpec spec = work.specWithInput();
            changed.setSpec(spec == null ? ExecutionSpec.getDefaultInstance() : spec);
        }
        if (work.records.isDrafted(work.keys.one(StateKeys.ATTRIBUTES))) {
            changed = changed == null ? Execution.newBuilder() : changed;
            changed.setAttributes(work.attributes());
        }
        byte[] outcomeKey = work.keys.one(StateKeys.OUTCOME);
        if (work.records.isDrafted(outcomeKey)) {
            OutcomeRecord before = work.records.held(outcomeKey, OutcomeRecord.getDefaultInstance());
            OutcomeRecord after = work.outcome();
            if (!before.getFailure().equals(after.getFailure())) {
                changed = changed == null ? Execution.newBuilder() : changed;
                changed.setFailure(after.getFailure());
            }
            if (!before.getLateOutcome().equals(after.getLateOutcome())) {
                changed = changed == null ? Execution.newBuilder() : changed;
                changed.setLateOutcome(after.getLateOutcome());
            }
        }
        Attempt attempt = work.records.isDrafted(work.keys.one(StateKeys.ATTEMPT)) ? work.attempt() : null;
        if (attempt != null) {
            changed = changed == null ? Execution.newBuilder() : changed;
            changed.setAttempt(attempt);
        }
        return changed;
    }

    /**
     * The whole execution but for the spec's input and the attributes' context, which may be as large as a quarter of
     * a megabyte together and would be repeated with every entry that appears.
     */
    static Execution row(Work work, Execution.Builder execution) {
        ExecutionSpec spec = work.spec();
        if (spec != null) {
            execution.setSpec(spec);
        }
        ExecutionAttributes attributes =
                work.attributes().toBuilder().clearContext().build();
        if (!Work.isEmpty(attributes)) {
            execution.setAttributes(attributes);
        }
        OutcomeRecord outcome = work.outcome();
        if (outcome.hasFailure()) {
            execution.setFailure(outcome.getFailure());
        }
        if (outcome.hasLateOutcome()) {
            execution.setLateOutcome(outcome.getLateOutcome());
        }
        Attempt attempt = work.attempt();
        if (attempt != null) {
            execution.setAttempt(attempt);
        }
        return execution.build();
    }
}
