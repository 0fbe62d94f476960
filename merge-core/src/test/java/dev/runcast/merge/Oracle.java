package dev.runcast.merge;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.Attempt;
import dev.runcast.v1.Cause;
import dev.runcast.v1.Change;
import dev.runcast.v1.Control;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionAttributes;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.LateOutcome;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.RequestOutcome;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextChange;
import dev.runcast.v1.TextField;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The merge once more, naively: everything in lists, all of it copied before each update, every sum counted anew, every
 * text kept whole. Written from the contract and not from the merge; slow on purpose, and right for being plain.
 */
final class Oracle {

    private static final class Refused extends RuntimeException {
        private static final long serialVersionUID = 1;
        final RejectionReason reason;

        Refused(String reason) {
            super(reason, null, false, false);
            this.reason = RejectionReason.valueOf("REJECTION_REASON_" + reason);
        }
    }

    OracleState state = new OracleState();
    final List<Change> changes = new ArrayList<>();
    final List<String> outcomes = new ArrayList<>();
    /** Situations that came up which the outcomes do not tell apart. */
    final List<String> situations = new ArrayList<>();

    private Timestamp logTime = Timestamp.getDefaultInstance();
    private UpdateBatch batch = UpdateBatch.getDefaultInstance();
    private long epoch;
    private List<TextChange> texts = new ArrayList<>();
    private Set<String> written = new HashSet<>();
    private Decision decision = Decision.DECISION_UNSPECIFIED;
    private String decidedBy = "";
    private long omitted;

    void apply(UpdateBatch next) {
        batch = next;
        boolean runner = batch.getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER;
        epoch = runner ? batch.getEpoch() : 0;
        if (later(batch.getReceivedAt(), logTime)) {
            logTime = batch.getReceivedAt();
        }
        if (state.rules == 0) {
            state.rules = batch.getRules();
        }
        for (int i = 0; i < batch.getUpdatesCount(); i++) {
            if (batch.hasRequestId()) {
                request(batch.getUpdates(i));
            } else {
                stream(batch.getUpdates(i), batch.getFirstSequence() + i);
            }
        }
        if (state.version == 0 && state.streams.isEmpty()) {
            // Nothing of it is remembered, so it was not the first batch of an execution.
            state.rules = 0;
            logTime = Timestamp.getDefaultInstance();
        }
    }

    private void stream(Update update, long sequence) {
        try {
            gate();
        } catch (Refused r) {
            outcomes.add("REJECTED " + r.reason);
            return;
        }
        if (state.rules == 1) {
            state.streams.makeRoom(batch.getWriter().getName(), epoch, state.epoch);
        }
        OracleState.Stream stream = state.streams.of(batch.getWriter().getName(), epoch);
        if (stream == null) {
            outcomes.add("REJECTED " + RejectionReason.REJECTION_REASON_TOO_MANY);
            return;
        }
        if (sequence <= stream.last) {
            outcomes.add("DUPLICATE");
        } else if (sequence > stream.last + 1) {
            stream.missing = true;
            outcomes.add("REJECTED " + RejectionReason.REJECTION_REASON_SEQUENCE_GAP);
        } else {
            stream.last++;
            stream.missing = false;
            OracleState before = state.copy();
            try {
                update(update);
                checkSizes(before, update);
                changed(before, update, Cause.newBuilder().setSequence(sequence), null);
                outcomes.add("APPLIED");
            } catch (Refused r) {
                state = before;
                putBack();
                outcomes.add("REJECTED " + r.reason);
            }
        }
        if (state.rules == 2) {
            state.streams.giveUp(state.epoch);
        }
    }

    private void putBack() {
        texts.clear();
        written.clear();
        omitted = 0;
    }

    private void request(Update update) {
        String id = batch.getRequestId();
        if (state.requests.contains(id)) {
            outcomes.add("DUPLICATE");
            return;
        }
        OracleState before = state.copy();
        RejectionReason refused = RejectionReason.REJECTION_REASON_UNSPECIFIED;
        try {
            gate();
            update(update);
            checkSizes(before, update);
        } catch (Refused r) {
            refused = r.reason;
            state = before.copy();
            putBack();
        }
        if (refused.getNumber() != 0 && state.version == 0) {
            outcomes.add("REJECTED " + refused);
            return;
        }
        state.requests.add(id);
        if (state.requests.size() > 64) {
            state.requests.remove(0);
        }
        changed(
                before,
                update,
                Cause.newBuilder().setRequestId(id),
                RequestOutcome.newBuilder()
                        .setRequestId(id)
                        .setRefused(refused)
                        .setDecision(decision)
                        .setDecidedBy(decidedBy)
                        .setControlValue(
                                update.hasControlRequested()
                                        ? update.getControlRequested().getControlValue()
                                        : 0));
        outcomes.add("APPLIED");
        decision = Decision.DECISION_UNSPECIFIED;
        decidedBy = "";
    }

    private void gate() {
        if (state.endedAt != null && seconds(logTime, state.endedAt) > 24 * 3600.0) {
            state.streams.closed |= batch.getWriter().getKind() == WriterKind.WRITER_KIND_RUNNER;
            throw new Refused("CLOSED");
        }
        if (epoch > 0 && (epoch < state.epoch || epoch < state.minimumEpoch)) {
            throw new Refused("FENCED");
        }
        if (epoch > state.epoch && state.rules == 2) {
            boolean shut = state.endedAt != null && state.epoch > 0;
            if (shut && epoch > com.google.protobuf.util.Timestamps.toMillis(state.endedAt)) {
                situations.add("SHUT OUT AFTER THE END");
                throw new Refused("CLOSED");
            }
            if (epoch <= state.streams.givenUp) {
                situations.add("GIVEN UP");
                throw new Refused("FENCED");
            }
        }
    }

    /** What an update leaves behind must fit where it is kept. */
    private void checkSizes(OracleState before, Update update) {
        long all = 0;
        long list = 0;
        for (OracleState.Item item : touched(before)) {
            Entry record = item.stored();
            int size = record.getSerializedSize();
            boolean upserted = update.hasEntryUpserted() && written.contains(record.getEntryId());
            if (upserted && size > 65_536 - 8_192 && size <= 65_536) {
                situations.add("NO ROOM TO SETTLE UNDER " + state.rules);
            } else if (!upserted && size > 65_536) {
                situations.add("NOT SETTLED FOR ITS SIZE");
            }
            require(state.rules == 2 || size <= 65_536, "TOO_LARGE");
            require(!upserted || size <= 65_536 - 8_192, "TOO_LARGE", state.rules == 2);
            require(!upserted || size <= 2_048 || unknown(record) <= 256, "TOO_MANY", state.rules == 2);
            all += size;
            list += update.hasTodosReplaced() && written.contains(record.getEntryId()) ? size : 0;
        }
        require(all <= 35 << 20, "TOO_LARGE"); // give or take what versions and times take
        require(list <= 1 << 20, "TOO_LARGE", state.rules == 2);
        require(state.open() <= 512, "TOO_MANY");
    }

    private List<OracleState.Item> touched(OracleState before) {
        return state.items.stream()
                .filter(item -> {
                    OracleState.Item was = before.find(item.record.getEntryId());
                    boolean settled = was != null && !was.record.equals(item.record);
                    return written.contains(item.record.getEntryId()) || was == null || settled;
                })
                .toList();
    }

    /** Values of fields that this build does not know, at any depth. */
    private static int unknown(Message message) {
        int count = unknown(message.getUnknownFields());
        for (Object value : message.getAllFields().values()) {
            for (Object one : value instanceof List<?> many ? many : List.of(value)) {
                count += one instanceof Message inner ? unknown(inner) : 0;
            }
        }
        return count;
    }

    private static int unknown(UnknownFieldSet fields) {
        int count = 0;
        for (UnknownFieldSet.Field field : fields.asMap().values()) {
            count += field.getVarintList().size()
                    + field.getLengthDelimitedList().size();
            count += field.getFixed32List().size() + field.getFixed64List().size();
            for (UnknownFieldSet group : field.getGroupList()) {
                count += 1 + unknown(group);
            }
        }
        return count;
    }

    private void update(Update update) {
        Refusal invalid = Validity.ofUpdate(update); // bounds of fields have tests of their own
        if (invalid != null) {
            throw new Refused(invalid.reason().name().substring("REJECTION_REASON_".length()));
        }
        require(update.getSerializedSize() <= 2_048 || unknown(update) <= 256, "TOO_MANY", state.rules == 2);
        String kind = batch.getWriter().getKind().name().substring("WRITER_KIND_".length());
        String may =
                switch (update.getChangeCase()) {
                    case DECLARED -> "RUNNER WORKFLOW SYSTEM OPERATOR";
                    case RECOVERED, VERDICT -> "WORKFLOW SYSTEM";
                    case APPROVAL_DECIDED, CONTROL_REQUESTED -> "OPERATOR WORKFLOW SYSTEM";
                    case OMITTED -> "RUNNER";
                    default -> "RUNNER WORKFLOW SYSTEM";
                };
        if (!may.contains(kind)) {
            throw new Refused("NOT_PERMITTED");
        }
        if (epoch > state.epoch) {
            boolean left = state.phase() == Phase.PHASE_WAITING_FOR_APPROVAL || state.phase() == Phase.PHASE_PAUSED;
            for (OracleState.Item item : state.items) {
                boolean older = item.record.getEpoch() > 0 && item.record.getEpoch() < epoch;
                if (!left && older && !item.finished()) {
                    item.record = item.record.toBuilder()
                            .setState(EntryState.ENTRY_STATE_INTERRUPTED)
                            .build();
                }
            }
            if (state.end != null) {
                situations.add("ADOPTED AFTER THE END UNDER " + state.rules);
            }
            state.epoch = epoch;
            state.attempts++;
            state.stalled = false;
        }
        switch (update.getChangeCase()) {
            case DECLARED -> declared(update.getDeclared());
            case ATTEMPT_STARTED -> {
                require(state.end == null, "ENDED");
                running();
                state.reason = "";
                if (epoch > 0 || state.attempt.getEpoch() == 0) { // older epochs are fenced
                    state.attempt = Attempt.newBuilder()
                            .setEpoch(epoch)
                            .setWorker(update.getAttemptStarted().getWorker())
                            .setBuild(update.getAttemptStarted().getBuild())
                            .setStartedAt(logTime)
                            .build();
                }
            }
            case PHASE_CHANGED -> phase(update.getPhaseChanged(), kind);
            case RECOVERED -> {
                require(state.end != null && state.end != Phase.PHASE_COMPLETED, "TRANSITION");
                state.end = null;
                state.endedAt = null;
                state.said = Phase.PHASE_PENDING;
                state.minimumEpoch = state.epoch + 1;
                state.cancelRequested = false;
                state.paused = false;
                state.stalled = false;
                state.failure = Failure.getDefaultInstance();
                state.late = LateOutcome.getDefaultInstance();
                state.reason = update.getRecovered().getReason();
            }
            case EXECUTION_PATCHED -> patched(update.getExecutionPatched());
            case ENTRY_UPSERTED -> upserted(update.getEntryUpserted());
            case TODOS_REPLACED -> todos(update.getTodosReplaced());
            case TEXT_APPENDED -> appended(update.getTextAppended());
            case APPROVAL_DECIDED -> decided(update.getApprovalDecided());
            case CONTROL_REQUESTED -> control(update.getControlRequested());
            case VERDICT -> verdict(update.getVerdict());
            case OMITTED -> {
                omitted = update.getOmitted().getCount();
                state.omitted += omitted;
            }
            case CHANGE_NOT_SET -> throw new AssertionError();
        }
        if (kind.equals("RUNNER")) {
            state.stalled = false;
        }
    }

    private void declared(Declared declared) {
        ExecutionSpec none = ExecutionSpec.getDefaultInstance();
        if (!declared.getSpec().equals(none)) {
            require(state.spec.equals(none) || state.spec.equals(declared.getSpec()), "INVALID");
            state.spec = declared.getSpec();
        }
        patched(ExecutionPatched.newBuilder()
                .putAllLabels(declared.getLabelsMap())
                .build());
    }

    private void patched(ExecutionPatched patch) {
        TreeMap<String, String> labels = new TreeMap<>(state.attributes.getLabelsMap());
        patch.getClearLabelsList().forEach(labels::remove);
        labels.putAll(patch.getLabelsMap());
        require(labels.size() <= 64, "TOO_MANY");
        TreeMap<String, String> context = new TreeMap<>(state.attributes.getContextMap());
        patch.getClearContextList().forEach(context::remove);
        context.putAll(patch.getContextMap());
        require(context.size() <= 32, "TOO_MANY");
        ExecutionAttributes.Builder attributes = state.attributes.toBuilder();
        attributes.clearLabels().putAllLabels(labels).clearContext().putAllContext(context);
        if (patch.getClearProgress()) {
            attributes.clearProgress();
        }
        if (patch.hasProgress()) {
            attributes.setProgress(patch.getProgress());
        }
        state.attributes = attributes.build();
    }

    private void phase(PhaseChanged changed, String kind) {
        String said = changed.getPhase().name().substring("PHASE_".length());
        boolean named = !batch.getWriter().getName().isEmpty();
        String may =
                switch (kind) {
                    case "RUNNER" -> named ? "PENDING RUNNING" : "PENDING RUNNING COMPLETED FAILED CANCELLED";
                    default -> "PENDING RUNNING PAUSED COMPLETED FAILED CANCELLED TERMINATED";
                };
        require(List.of(may.split(" ")).contains(said), "NOT_PERMITTED");
        boolean terminal =
                List.of("COMPLETED", "FAILED", "CANCELLED", "TERMINATED").contains(said);
        Failure failure = said.equals("COMPLETED") ? Failure.getDefaultInstance() : changed.getFailure();
        if (state.end != null) {
            require(terminal, "ENDED");
            LateOutcome.Builder late =
                    LateOutcome.newBuilder().setPhase(changed.getPhase()).setReceivedAt(batch.getReceivedAt());
            if (!failure.equals(Failure.getDefaultInstance())) {
                late.setFailure(failure);
            }
            state.late = late.build();
            return;
        }
        if (terminal) {
            end(changed.getPhase(), failure);
        } else if (said.equals("PAUSED")) {
            state.paused = true;
        } else if (said.equals("RUNNING")) {
            running();
        } else {
            require(state.phase() == Phase.PHASE_PENDING, "TRANSITION");
        }
        state.reason = changed.getReason();
    }

    private void running() {
        state.said = Phase.PHASE_RUNNING;
        if (state.startedAt == null) {
            state.startedAt = logTime;
        }
    }

    private void end(Phase phase, Failure failure) {
        state.end = phase;
        state.endedAt = logTime;
        state.failure = phase == Phase.PHASE_COMPLETED ? Failure.getDefaultInstance() : failure;
        state.cancelRequested = false;
        state.paused = false;
        state.stalled = false;
        for (OracleState.Item item : state.items) {
            if (!item.finished()) {
                item.record = item.record.toBuilder().setState(settled()).build();
            }
        }
    }

    private EntryState settled() {
        return state.end == Phase.PHASE_CANCELLED
                ? EntryState.ENTRY_STATE_CANCELLED
                : EntryState.ENTRY_STATE_INTERRUPTED;
    }

    private void upserted(EntryUpserted upserted) {
        Entry patch = upserted.getEntry();
        OracleState.Item item = state.find(patch.getEntryId());
        boolean hasBody = patch.getBodyCase() != Entry.BodyCase.BODY_NOT_SET;
        boolean isNew = item == null;
        require(!isNew || hasBody, "UNKNOWN_ENTRY");
        if (item == null) {
            item = state.appear(patch.getEntryId(), logTime);
        } else {
            require(!hasBody || patch.getBodyCase() == item.record.getBodyCase(), "ENTRY_KIND");
        }
        Entry.BodyCase kind = isNew ? patch.getBodyCase() : item.record.getBodyCase();
        OracleState.checkClear(upserted.getClear().getPathsList(), kind.getNumber(), Refused::new);

        boolean decided = item.record.getApproval().getDecisionValue() != 0;
        EntryState now = item.record.getState();
        EntryState said = patch.getStateValue() == 0 ? null : patch.getState();
        boolean newer = epoch > item.record.getEpoch();
        boolean begins = !isNew
                && !decided
                && newer
                && item.finished()
                && (now == EntryState.ENTRY_STATE_INTERRUPTED || said != null && !OracleState.finished(said));
        EntryState next = said == null ? (begins ? EntryState.ENTRY_STATE_PENDING : now) : said;
        if (!isNew && !begins && next != now) {
            require(!decided, "ENTRY_FINISHED");
            boolean backwards = item.finished() && !OracleState.finished(next);
            require(!backwards || state.end != null && now == settled(), "ENTRY_FINISHED");
        }
        if (state.end != null && !OracleState.finished(next)) {
            next = settled();
        }
        written.add(patch.getEntryId());
        if (begins) {
            item.restartTexts(texts);
        }
        item.patch(patch, upserted.getClear().getPathsList(), begins, texts);
        item.record = item.record.toBuilder().setState(next).build();
    }

    private void appended(TextAppended append) {
        OracleState.Item item = state.find(append.getEntryId());
        require(item != null, "UNKNOWN_ENTRY");
        String has =
                switch (item.record.getBodyCase()) {
                    case MESSAGE, ARTIFACT -> "TEXT";
                    case TOOL_CALL -> "ARGUMENTS RESULT";
                    case SUB_AGENT -> "INPUT OUTPUT";
                    default -> "";
                };
        String field = append.getField().name().substring("TEXT_FIELD_".length());
        require(List.of(has.split(" ")).contains(field), "ENTRY_KIND");
        OracleState.Text text = item.text(append.getField());
        ByteString bytes = append.getTextBytes();
        long offset = append.getOffset();
        long length = text == null ? 0 : text.bytes.size();
        require(offset <= length, "TEXT_OFFSET");
        if (text != null && offset < length) {
            require(text.isPlace(offset), "TEXT_OFFSET");
            if (!append.getTruncate()) {
                long end = offset + bytes.size();
                require(end <= length && text.isPlace(end), "TEXT_OFFSET");
                require(text.bytes.substring((int) offset, (int) end).equals(bytes), "TEXT_OFFSET");
                return;
            }
        }
        require(offset + bytes.size() <= 8L << 20, "TOO_LARGE");
        written.add(append.getEntryId());
        if (text == null) {
            text = item.begin(append.getField());
        }
        text.put(offset, bytes);
        texts.add(item.change(append.getField(), offset, bytes));
    }

    private void todos(TodosReplaced replaced) {
        Set<String> named = new HashSet<>();
        int position = 0;
        for (TodoItem todo : replaced.getTodosList()) {
            OracleState.Item item = state.find(todo.getEntryId());
            require(item == null || item.record.hasTodo(), "ENTRY_KIND");
        }
        for (TodoItem todo : replaced.getTodosList()) {
            position++;
            named.add(todo.getEntryId());
            OracleState.Item item = state.find(todo.getEntryId());
            if (item == null) {
                item = state.appear(todo.getEntryId(), logTime);
            }
            EntryState next = todo.getStateValue() == 0 ? EntryState.ENTRY_STATE_PENDING : todo.getState();
            next = state.end != null && !OracleState.finished(next) ? settled() : next;
            Entry.Builder record = item.record.toBuilder();
            if (item.finished() && !OracleState.finished(next)) {
                record.clearEndedAt().clearFailure();
            }
            record.setState(next).clearParentId();
            if (!replaced.getParentId().isEmpty()) {
                record.setParentId(replaced.getParentId());
            }
            record.getTodoBuilder().setContent(todo.getContent()).setPosition(position);
            if (!record.build().equals(item.record)) {
                item.record = record.build();
                written.add(todo.getEntryId());
            }
        }
        for (String id : state.plans.getOrDefault(replaced.getParentId(), List.of())) {
            OracleState.Item item = state.find(id);
            if (item != null && !named.contains(id) && item.record.getParentId().equals(replaced.getParentId())) {
                Entry.Builder record = item.record.toBuilder();
                record.getTodoBuilder().setPosition(0);
                item.record = item.finished()
                        ? record.build()
                        : record.setState(EntryState.ENTRY_STATE_CANCELLED).build();
                written.add(id);
            }
        }
        state.plans.put(
                replaced.getParentId(),
                replaced.getTodosList().stream().map(TodoItem::getEntryId).toList());
    }

    private void decided(ApprovalDecided decided) {
        OracleState.Item item = state.find(decided.getEntryId());
        require(item != null, "UNKNOWN_ENTRY");
        require(item.record.hasApproval(), "ENTRY_KIND");
        if (item.record.getApproval().getDecisionValue() != 0) {
            decision = item.record.getApproval().getDecision();
            decidedBy = item.record.getApproval().getDecidedBy();
            throw new Refused("ALREADY_DECIDED");
        }
        require(state.end == null, "ENDED");
        require(!item.finished(), "ENTRY_FINISHED");
        decision = decided.getDecision();
        decidedBy = batch.getPrincipal();
        Entry.Builder record = item.record.toBuilder();
        record.getApprovalBuilder()
                .setDecision(decision)
                .setDecidedBy(decidedBy)
                .setDecidedAt(logTime)
                .setComment(decided.getComment());
        record.setState(
                switch (decision) {
                    case DECISION_REJECT -> EntryState.ENTRY_STATE_CANCELLED;
                    case DECISION_SKIP -> EntryState.ENTRY_STATE_SKIPPED;
                    default -> EntryState.ENTRY_STATE_COMPLETED;
                });
        item.record = record.build();
        written.add(decided.getEntryId());
        if (decided.hasArguments()) {
            item.replace(TextField.TEXT_FIELD_ARGUMENTS, decided.getArgumentsBytes(), texts);
        }
    }

    private void control(ControlRequested requested) {
        require(state.lastControl == null || !later(state.lastControl, batch.getReceivedAt()), "STALE");
        Control control = requested.getControl();
        if (control == Control.CONTROL_RECOVER) {
            require(state.end != null && state.end != Phase.PHASE_COMPLETED, "TRANSITION");
            require(!state.spec.getWorkflowId().isEmpty(), "TRANSITION");
        } else {
            require(state.end == null, "ENDED");
        }
        if (control == Control.CONTROL_CANCEL) {
            if (state.spec.getWorkflowId().isEmpty() && state.epoch == 0) {
                end(Phase.PHASE_CANCELLED, Failure.getDefaultInstance());
                state.reason = requested.getReason();
            } else {
                state.cancelRequested = true;
            }
        } else if (control == Control.CONTROL_PAUSE) {
            state.paused = true;
            state.reason = requested.getReason();
        } else if (control == Control.CONTROL_RESUME) {
            require(state.paused, "TRANSITION");
            state.paused = false;
            state.reason = requested.getReason();
        }
        state.lastControl = batch.getReceivedAt();
    }

    private void verdict(Verdict verdict) {
        require(state.end == null, "ENDED");
        require(verdict.getAsOf() == state.version && verdict.getEpoch() == state.epoch, "VERDICT_OUTDATED");
        if (verdict.getKind() == VerdictKind.VERDICT_KIND_LOST) {
            boolean ofWorkflow = state.rules == 2 && verdict.getOutcomeValue() != 0;
            boolean terminal = verdict.getOutcomeValue() >= 5 && verdict.getOutcomeValue() <= 8;
            require(!ofWorkflow || terminal, "INVALID");
            require(state.spec.getWorkflowId().isEmpty() != ofWorkflow, "VERDICT_OUTDATED");
            situations.add((ofWorkflow ? "ENDED AS ITS WORKFLOW UNDER " : "LOST UNDER ") + state.rules);
            Failure failure = verdict.getFailure();
            end(
                    ofWorkflow ? verdict.getOutcome() : Phase.PHASE_FAILED,
                    failure.getCode().isEmpty() && !ofWorkflow
                            ? failure.toBuilder().setCode("RUNNER_LOST").build()
                            : failure);
            state.reason = verdict.getReason();
        } else {
            boolean stalls = verdict.getKind() == VerdictKind.VERDICT_KIND_STALLED;
            require(state.stalled != stalls, "VERDICT_OUTDATED");
            state.stalled = stalls;
        }
    }

    private void changed(
            OracleState before, Update update, Cause.Builder cause, RequestOutcome.@Nullable Builder outcome) {
        state.version++;
        state.updatedAt = logTime;
        state.createdAt = state.createdAt == null ? logTime : state.createdAt;
        state.forgetFenced();
        Change.Builder change = Change.newBuilder()
                .setFirstVersion(state.version)
                .setVersion(state.version)
                .setCause(cause.setWriter(writer()).setEpoch(epoch).setPrincipal(batch.getPrincipal()))
                .setReceivedAt(logTime)
                .setOmitted(omitted)
                .setTraceparent(batch.getTraceparent())
                .addAllTexts(texts);
        if (update.hasOccurredAt() && outcomeTimeIsValid(update.getOccurredAt())) {
            change.setOccurredAt(update.getOccurredAt());
        }
        for (OracleState.Item item : touched(before)) {
            item.touch(state.version, written.contains(item.record.getEntryId()) ? epoch : 0, logTime);
            change.addEntries(item.record);
        }
        boolean recoverAsked = state.rules == 2
                && update.getControlRequested().getControl() == Control.CONTROL_RECOVER
                && outcome != null
                && outcome.getRefusedValue() == 0;
        Execution shown = state.shown(batch.getTenant(), batch.getExecutionId(), before, recoverAsked);
        if (shown != null) {
            change.setExecution(shown);
        }
        if (outcome != null) {
            change.setRequestOutcome(outcome.setPhase(state.phase()));
        }
        changes.add(change.build());
        texts = new ArrayList<>();
        written = new HashSet<>();
        omitted = 0;
    }

    private Writer writer() {
        return state.rules == 1
                ? batch.getWriter()
                : Writer.newBuilder()
                        .setKind(batch.getWriter().getKind())
                        .setName(batch.getWriter().getName())
                        .build();
    }

    private static boolean outcomeTimeIsValid(Timestamp time) {
        return com.google.protobuf.util.Timestamps.isValid(time);
    }

    private static boolean later(Timestamp a, Timestamp b) {
        return com.google.protobuf.util.Timestamps.compare(a, b) > 0;
    }

    private static double seconds(Timestamp to, Timestamp from) {
        return (to.getSeconds() - from.getSeconds()) + (to.getNanos() - from.getNanos()) / 1e9;
    }

    private static void require(boolean holds, String reason, boolean applies) {
        require(holds || !applies, reason);
    }

    private static void require(boolean holds, String reason) {
        if (!holds) {
            throw new Refused(reason);
        }
    }
}
