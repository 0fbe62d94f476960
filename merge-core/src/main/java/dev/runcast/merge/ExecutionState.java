package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import dev.runcast.state.v1.Header;
import dev.runcast.v1.Execution;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Totals;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The hot part of an execution while a batch is merged. There are two of it: the one that holds, and the one that an
 * update works on and that becomes the other, or is put back, as a whole.
 */
final class ExecutionState {
    long version;
    Phase said = Phase.PHASE_PENDING;
    /** Null while the execution has not ended. */
    @Nullable
    Phase outcome;

    boolean paused;
    boolean hasWorkflow;
    String reason = "";
    long epoch;
    long minimumEpoch;
    int attempts;
    boolean cancelRequested;
    boolean stalled;
    int rules;

    long entries;
    long openEntries;
    long messages;
    long toolCalls;
    long pendingApprovals;
    long textBytes;
    long inputTokens;
    long outputTokens;
    long costMicros;
    long omittedUpdates;

    @Nullable
    Timestamp createdAt;

    @Nullable
    Timestamp startedAt;

    @Nullable
    Timestamp endedAt;

    @Nullable
    Timestamp updatedAt;

    @Nullable
    Timestamp lastControlAt;

    static ExecutionState of(Header header) {
        ExecutionState state = new ExecutionState();
        Execution execution = header.getExecution();
        state.version = execution.getVersion();
        state.said = header.getSaid();
        state.outcome = Phases.isTerminal(execution.getPhase()) ? execution.getPhase() : null;
        state.paused = header.getPaused();
        state.hasWorkflow = header.getHasWorkflow();
        state.reason = execution.getReason();
        state.epoch = execution.getEpoch();
        state.minimumEpoch = execution.getMinimumEpoch();
        state.attempts = execution.getAttempts();
        state.cancelRequested = execution.getCancelRequested();
        state.stalled = execution.getStalled();
        state.rules = execution.getRules();
        Totals totals = execution.getTotals();
        state.entries = totals.getEntries();
        state.openEntries = totals.getOpenEntries();
        state.messages = totals.getMessages();
        state.toolCalls = totals.getToolCalls();
        state.pendingApprovals = totals.getPendingApprovals();
        state.textBytes = totals.getTextBytes();
        state.inputTokens = totals.getInputTokens();
        state.outputTokens = totals.getOutputTokens();
        state.costMicros = totals.getCostMicros();
        state.omittedUpdates = totals.getOmittedUpdates();
        state.createdAt = execution.hasCreatedAt() ? execution.getCreatedAt() : null;
        state.startedAt = execution.hasStartedAt() ? execution.getStartedAt() : null;
        state.endedAt = execution.hasEndedAt() ? execution.getEndedAt() : null;
        state.updatedAt = execution.hasUpdatedAt() ? execution.getUpdatedAt() : null;
        state.lastControlAt = header.hasLastControlAt() ? header.getLastControlAt() : null;
        return state;
    }

    /** Where the execution stands. Derived from the rest, so that it cannot contradict it. */
    Phase phase() {
        if (outcome != null) {
            return outcome;
        }
        if (paused) {
            return Phase.PHASE_PAUSED;
        }
        return pendingApprovals > 0 ? Phase.PHASE_WAITING_FOR_APPROVAL : said;
    }

    boolean ended() {
        return outcome != null;
    }

    void copyFrom(ExecutionState other) {
        version = other.version;
        said = other.said;
        outcome = other.outcome;
        paused = other.paused;
        hasWorkflow = other.hasWorkflow;
        reason = other.reason;
        epoch = other.epoch;
        minimumEpoch = other.minimumEpoch;
        attempts = other.attempts;
        cancelRequested = other.cancelRequested;
        stalled = other.stalled;
        rules = other.rules;
        entries = other.entries;
        openEntries = other.openEntries;
        messages = other.messages;
        toolCalls = other.toolCalls;
        pendingApprovals = other.pendingApprovals;
        textBytes = other.textBytes;
        inputTokens = other.inputTokens;
        outputTokens = other.outputTokens;
        costMicros = other.costMicros;
        omittedUpdates = other.omittedUpdates;
        createdAt = other.createdAt;
        startedAt = other.startedAt;
        endedAt = other.endedAt;
        updatedAt = other.updatedAt;
        lastControlAt = other.lastControlAt;
    }

    /**
     * Whether a person sees a difference, apart from {@code version}, {@code updated_at} and {@code text_bytes}. Those
     * three follow from any change, so a text that grows costs its words and not an execution as well.
     */
    boolean shows(ExecutionState other) {
        return phase() == other.phase()
                && reason.equals(other.reason)
                && epoch == other.epoch
                && minimumEpoch == other.minimumEpoch
                && attempts == other.attempts
                && cancelRequested == other.cancelRequested
                && stalled == other.stalled
                && rules == other.rules
                && entries == other.entries
                && openEntries == other.openEntries
                && messages == other.messages
                && toolCalls == other.toolCalls
                && pendingApprovals == other.pendingApprovals
                && inputTokens == other.inputTokens
                && outputTokens == other.outputTokens
                && costMicros == other.costMicros
                && omittedUpdates == other.omittedUpdates
                && Objects.equals(createdAt, other.createdAt)
                && Objects.equals(startedAt, other.startedAt)
                && Objects.equals(endedAt, other.endedAt);
    }

    /** Whether the level that runners are told is the same, apart from what is missing from them. */
    boolean isSameLevel(ExecutionState other) {
        return (version == 0) == (other.version == 0)
                && phase() == other.phase()
                && epoch == other.epoch
                && minimumEpoch == other.minimumEpoch
                && cancelRequested == other.cancelRequested
                && paused == other.paused;
    }

    /** The small fields; the cold ones are absent. */
    Execution.Builder toExecution(ExecutionKey key) {
        Execution.Builder execution = Execution.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .setVersion(version)
                .setPhase(phase())
                .setReason(reason)
                .setEpoch(epoch)
                .setMinimumEpoch(minimumEpoch)
                .setAttempts(attempts)
                .setCancelRequested(cancelRequested)
                .setStalled(stalled)
                .setRules(rules)
                .setTotals(Totals.newBuilder()
                        .setEntries(entries)
                        .setOpenEntries(openEntries)
                        .setMessages(messages)
                        .setToolCalls(toolCalls)
                        .setPendingApprovals(pendingApprovals)
                        .setTextBytes(textBytes)
                        .setInputTokens(inputTokens)
                        .setOutputTokens(outputTokens)
                        .setCostMicros(costMicros)
                        .setOmittedUpdates(omittedUpdates));
        if (createdAt != null) {
            execution.setCreatedAt(createdAt);
        }
        if (startedAt != null) {
            execution.setStartedAt(startedAt);
        }
        if (endedAt != null) {
            execution.setEndedAt(endedAt);
        }
        if (updatedAt != null) {
            execution.setUpdatedAt(updatedAt);
        }
        return execution;
    }
}
