package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import dev.runcast.state.v1.Header;
import dev.runcast.state.v1.WriterRecord;
import dev.runcast.v1.Cause;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSignals;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.RequestOutcome;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The merge of one valid batch. The header is read once and written once; each update works on copies that hold as a
 * whole or are put back as a whole.
 */
final class BatchMerge {
    private final StateReader state;
    /** What the batch takes out because it comes so late that its execution is not known any more. */
    private final List<StateWrite> forgotten;

    private final UpdateBatch batch;
    private final ExecutionKey key;
    private final StateKeys keys;
    private final boolean isNew;
    private final Header header;
    private final Sequences sequences;
    private final ExecutionState held;
    private final Rules rules;
    private final Work work;
    private final Results results;
    private final List<StateWrite> requestWrites = new ArrayList<>(3);
    private long requests;
    /** The version at which the level for runners last changed in this batch; -1 when it did not. */
    private long levelVersion = -1;

    /** What a runner hears of an execution that is not known, and that its attempt is too old to begin. */
    private @Nullable ExecutionSignals unknownLevel;

    /** What all changes of the batch have in common. */
    private @Nullable Cause cause;

    private boolean rowChanged;

    BatchMerge(StateReader state, UpdateBatch batch) {
        this.batch = batch;
        this.key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        this.keys = new StateKeys(key);
        Header stored = Records.read(state, keys.one(StateKeys.HEADER), Header.parser());
        this.forgotten = stored == null ? List.of() : Expiry.forgotten(state, keys, stored, batch.getReceivedAt());
        this.state = forgotten.isEmpty() ? state : new Forgetting(state, forgotten);
        Header known = forgotten.isEmpty() ? stored : null;
        this.isNew = known == null;
        this.header = known == null ? Header.getDefaultInstance() : known;
        this.sequences = Sequences.of(header.getWritersList(), header.getGivenUpEpoch());
        this.requests = header.getRequests();
        this.held = known == null ? new ExecutionState() : ExecutionState.of(known);
        if (held.rules == 0) {
            held.rules = batch.getRules();
        }
        ExecutionState drafted = new ExecutionState();
        drafted.copyFrom(held);
        Timestamp logTime = Times.later(header.getLogTime(), batch.getReceivedAt());
        this.rules = Rules.of(held.rules);
        this.work = new Work(
                keys, batch, logTime, rules, drafted, new EntryTable(this.state, keys), new Records(this.state));
        this.results = new Results(batch);
    }

    MergeResult run() {
        Refusal expired = isNew ? Gates.checkAge(work) : null;
        if (expired != null) {
            unknownLevel = levelOfUnknown();
        }
        for (int i = 0; i < batch.getUpdatesCount(); i++) {
            Update update = batch.getUpdates(i);
            if (expired != null) {
                results.rejected(i, expired);
            } else if (batch.hasRequestId()) {
                request(update);
            } else {
                next(i, update, batch.getFirstSequence() + i);
            }
        }
        return result();
    }

    /** One update of a runner's stream. */
    private void next(int index, Update update, long sequence) {
        Refusal refusal = gate();
        if (refusal != null) {
            results.rejected(index, refusal);
            return;
        }
        Sequences.Stream stream = sequences.stream(batch.getWriter().getName(), work.epoch, held.epoch, rules);
        if (stream == null) {
            results.rejected(index, Refusal.tooMany("writers", Limits.WRITERS + 1, Limits.WRITERS));
            return;
        }
        if (sequence < stream.expected()) {
            results.duplicate();
            return;
        }
        if (sequence > stream.expected()) {
            sequences.miss(stream);
            sequences.giveUpBeyond(held.epoch, rules);
            noteLevel(false);
            results.rejected(
                    index,
                    Refusal.of(
                            RejectionReason.REJECTION_REASON_SEQUENCE_GAP,
                            "sequence: %d (expected: %d)".formatted(sequence, stream.expected())));
            return;
        }
        sequences.advance(stream);
        refusal = attempt(update);
        if (refusal == null) {
            results.applied(keep(update, cause().setSequence(sequence), null));
        } else {
            putBack();
            sequences.giveUpBeyond(held.epoch, rules);
            noteLevel(false);
            results.rejected(index, refusal);
        }
    }

    /** One update that is named by a request. What is refused makes a change too, unless there is nothing to change. */
    private void request(Update update) {
        if (Requests.isKnown(state, keys, batch.getRequestId())) {
            results.duplicate();
            return;
        }
        Refusal refusal = gate();
        if (refusal == null) {
            refusal = attempt(update);
        }
        RequestOutcome.Builder outcome = RequestOutcome.newBuilder()
                .setRequestId(batch.getRequestId())
                .setDecision(work.decision)
                .setDecidedBy(work.decidedBy)
                // The number, which also an unknown control has; 0 when it is another kind of update.
                .setControlValue(update.getControlRequested().getControlValue());
        if (refusal != null) {
            putBack();
            results.rejected(0, refusal, held.version == 0);
            if (held.version == 0) {
                return;
            }
            outcome.setRefused(refusal.reason()).setMessage(refusal.message());
        }
        Change change = keep(update, cause().setRequestId(batch.getRequestId()), outcome);
        Requests.remember(
                state, keys, requests, batch.getRequestId(), outcome.getRefused(), change.getVersion(), requestWrites);
        requests++;
        results.applied(change);
    }

    /**
     * What refuses the update before it is looked at. A runner whose execution takes nothing more may have come when
     * the level had left the topic of signals: it is told again, so that it need not wait for ever.
     */
    private @Nullable Refusal gate() {
        Refusal refusal = Gates.check(work, header.getClosed(), sequences.givenUpEpoch());
        if (refusal != null
                && refusal.reason() == RejectionReason.REJECTION_REASON_CLOSED
                && batch.getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER) {
            noteLevel(true);
        }
        return refusal;
    }

    /** Works the update into the drafts. */
    private @Nullable Refusal attempt(Update update) {
        Refusal refusal = Validity.ofUpdate(update);
        if (refusal == null) {
            refusal = UnknownFields.check(rules, "update", update);
        }
        if (refusal == null) {
            refusal = Permissions.check(work, update.getChangeCase());
        }
        if (refusal != null) {
            return refusal;
        }
        if (work.epoch > work.execution.epoch) {
            Lifecycle.adopt(work);
        }
        refusal = Kinds.apply(work, update);
        if (refusal != null) {
            return refusal;
        }
        if (batch.getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER) {
            work.execution.stalled = false;
        }
        return work.entries.count(work);
    }

    /** Lets the drafts hold, as the next version. */
    private Change keep(Update update, Cause.Builder cause, RequestOutcome.@Nullable Builder outcome) {
        ExecutionState drafted = work.execution;
        drafted.version++;
        drafted.updatedAt = work.logTime;
        if (drafted.createdAt == null) {
            drafted.createdAt = work.logTime;
        }
        Change.Builder change = Change.newBuilder()
                .setFirstVersion(drafted.version)
                .setVersion(drafted.version)
                .setCause(cause)
                .setReceivedAt(work.logTime)
                .setOmitted(work.omitted)
                .setTraceparentBytes(batch.getTraceparentBytes());
        work.entries.keep(change);
        if (update.hasOccurredAt() && Times.isValid(update.getOccurredAt())) {
            change.setOccurredAt(update.getOccurredAt());
        }
        Execution.Builder cold = ColdFields.changed(work);
        if (cold != null || !drafted.shows(held)) {
            Execution.Builder execution = drafted.toExecution(key);
            change.setExecution(cold == null ? execution : execution.mergeFrom(cold.buildPartial()));
            rowChanged = true;
        }
        if (outcome != null) {
            change.setRequestOutcome(outcome.setPhase(drafted.phase()));
        }
        work.records.keep();
        sequences.fence(Math.max(drafted.epoch, drafted.minimumEpoch));
        boolean levelChanged = !drafted.isSameLevel(held);
        held.copyFrom(drafted);
        noteLevel(levelChanged);
        work.clearNotes();
        return change.build();
    }

    private void putBack() {
        work.execution.copyFrom(held);
        work.entries.putBack();
        work.records.putBack();
        work.omitted = 0;
        work.repeatsSpec = false;
    }

    private void noteLevel(boolean changed) {
        if (sequences.takeLevelChanged() || changed) {
            levelVersion = held.version;
        }
    }

    private Cause.Builder cause() {
        if (cause == null) {
            cause = Cause.newBuilder()
                    .setWriter(rules.namesWritersPlainly() ? Results.plain(batch.getWriter()) : batch.getWriter())
                    .setEpoch(work.epoch)
                    .setPrincipalBytes(batch.getPrincipalBytes())
                    .build();
        }
        return cause.toBuilder();
    }

    private MergeResult result() {
        List<StateWrite> writes = new ArrayList<>();
        Execution execution = held.toExecution(key).build();
        Header after = headerAfter(execution);
        if (after != null && !after.equals(header)) {
            writes.add(new StateWrite(keys.one(StateKeys.HEADER), after.toByteArray()));
            Expiry.index(keys, isNew ? null : header, after, writes);
        }
        work.entries.write(writes);
        work.records.write(writes);
        writes.addAll(requestWrites);
        Forgetting.first(forgotten, writes);
        List<ChangeBatch> changes = results.changeBatches(key);
        boolean exists = held.version > 0;
        return new MergeResult(
                results.outcomes(),
                List.copyOf(writes),
                changes,
                results.rejections(),
                rowChanged ? ColdFields.row(work, execution.toBuilder()) : null,
                levelVersion >= 0 ? signals() : unknownLevel,
                exists ? execution : null);
    }

    /** Null when there is nothing to remember: no update came as far as the state. */
    private @Nullable Header headerAfter(Execution execution) {
        List<WriterRecord> writers = sequences.toRecords();
        if (isNew && held.version == 0 && writers.isEmpty()) {
            return null;
        }
        Header.Builder after = Header.newBuilder()
                .setExecution(execution)
                .setSaid(held.said)
                .setPaused(held.paused)
                .setHasWorkflow(held.hasWorkflow)
                .setLogTime(work.logTime)
                .setGivenUpEpoch(sequences.givenUpEpoch())
                .setRequests(requests)
                .setClosed(header.getClosed())
                .setFirstSeen(isNew ? work.logTime : header.getFirstSeen());
        for (WriterRecord writer : writers) {
            after.addWriters(writer);
        }
        if (held.lastControlAt != null) {
            after.setLastControlAt(held.lastControlAt);
        }
        return after.build();
    }

    private ExecutionSignals signals() {
        ExecutionSignals.Builder level = ExecutionSignals.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .setVersion(levelVersion)
                .setEpoch(held.epoch)
                .setMinimumEpoch(held.minimumEpoch)
                .setPhase(held.phase())
                .setCancelRequested(held.cancelRequested)
                .setPaused(held.paused)
                .setUpdatedAt(work.logTime);
        if (!Gates.isClosed(work, header.getClosed())) {
            // What takes nothing more asks for nothing, whether its streams have left the state or not.
            level.setGivenUpEpoch(sequences.givenUpEpoch()).addAllResends(sequences.resends());
        }
        return level.build();
    }

    /** The execution is not known, and every attempt as old as this one would be refused: fenced is what it is. */
    private ExecutionSignals levelOfUnknown() {
        return ExecutionSignals.newBuilder()
                .setTenant(key.tenant())
                .setExecutionId(key.executionId())
                .setMinimumEpoch(Times.millis(batch.getReceivedAt()) - Limits.EPOCH_AGE.toMillis())
                .setUpdatedAt(batch.getReceivedAt())
                .build();
    }
}
