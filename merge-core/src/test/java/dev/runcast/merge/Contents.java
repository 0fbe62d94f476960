package dev.runcast.merge;

import com.google.protobuf.ByteString;
import com.google.protobuf.FieldMask;
import com.google.protobuf.UnknownFieldSet;
import com.google.protobuf.util.Timestamps;
import dev.runcast.v1.Approval;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.Artifact;
import dev.runcast.v1.AttemptStarted;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Control;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Progress;
import dev.runcast.v1.Recovered;
import dev.runcast.v1.Reference;
import dev.runcast.v1.Role;
import dev.runcast.v1.SubAgent;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Todo;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import dev.runcast.v1.Usage;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Draws updates: mostly sensible ones in the oracle's present state, some that are not. */
final class Contents {
    private static final List<String> WORDS =
            List.of("Hello ", "wörld ", "日本語", "🚀🛰️", "a", "", "{\"city\": \"Oslo\"}", "\n", "the same again ", "é");
    private static final List<String> IDS = List.of(
            "m1", "m2", "m3", "m4", "call-1", "call-2", "sub-1", "sub-2", "todo-1", "todo-2", "todo-3", "todo-4",
            "file-1", "ask-1", "ask-2", "use-1", "use-2");

    private final Random random;
    private final Oracle oracle;

    Contents(Random random, Oracle oracle) {
        this.random = random;
        this.oracle = oracle;
    }

    @SafeVarargs
    final <T> T pick(T... of) {
        return of[random.nextInt(of.length)];
    }

    Update ofRunner(boolean first) {
        Update.Builder update = Update.newBuilder();
        if (random.nextInt(3) > 0) {
            update.setOccurredAt(Timestamps.fromMillis(1_750_000_000_000L + random.nextInt(1_000_000)));
        }
        if (first && random.nextInt(4) > 0) {
            return update.setAttemptStarted(AttemptStarted.newBuilder()
                            .setWorker(pick("pod-7", "pod-8", ""))
                            .setBuild(pick("1.2.3", "")))
                    .build();
        }
        int dice = oracle.state.items.isEmpty() && random.nextInt(5) > 0 ? 60 : random.nextInt(100);
        if (dice < 40) {
            return update.setTextAppended(append()).build();
        }
        if (dice < 70) {
            return update.setEntryUpserted(upsert()).build();
        }
        if (dice < 78) {
            return update.setTodosReplaced(todos()).build();
        }
        if (dice < 83) {
            return update.setExecutionPatched(patch()).build();
        }
        if (dice < 89) {
            return update.setPhaseChanged(phase()).build();
        }
        if (dice < 92) {
            return update.setDeclared(declared()).build();
        }
        if (dice < 94) {
            return update.setOmitted(Omitted.newBuilder().setCount(random.nextInt(4)))
                    .build();
        }
        if (dice < 96) {
            return update.setAttemptStarted(AttemptStarted.getDefaultInstance()).build();
        }
        return broken(update);
    }

    Update ofRequest(WriterKind kind) {
        Update.Builder update = Update.newBuilder();
        if (random.nextInt(12) == 0) {
            return ofRunner(false);
        }
        return switch (kind) {
            case WRITER_KIND_RUNNER -> ofRunner(false);
            case WRITER_KIND_OPERATOR ->
                random.nextBoolean()
                        ? update.setControlRequested(control()).build()
                        : update.setApprovalDecided(decide()).build();
            case WRITER_KIND_WORKFLOW ->
                switch (random.nextInt(5)) {
                    case 0 -> update.setPhaseChanged(phase()).build();
                    case 1 ->
                        update.setRecovered(Recovered.newBuilder().setReason("once more"))
                                .build();
                    case 2 -> update.setDeclared(declared()).build();
                    case 3 -> update.setControlRequested(control()).build();
                    default -> update.setEntryUpserted(upsert()).build();
                };
            default ->
                random.nextInt(3) > 0
                        ? update.setVerdict(verdict()).build()
                        : update.setPhaseChanged(phase()).build();
        };
    }

    private TextAppended append() {
        OracleState.Item item = random.nextInt(15) == 0 ? null : someItem("TEXT");
        if (item == null) {
            return TextAppended.newBuilder()
                    .setEntryId(pick(IDS.get(random.nextInt(IDS.size())), "nobody"))
                    .setField(TextField.forNumber(random.nextInt(6)))
                    .setText(words())
                    .build();
        }
        TextField field =
                switch (item.record.getBodyCase()) {
                    case TOOL_CALL -> pick(TextField.TEXT_FIELD_ARGUMENTS, TextField.TEXT_FIELD_RESULT);
                    case SUB_AGENT -> pick(TextField.TEXT_FIELD_INPUT, TextField.TEXT_FIELD_OUTPUT);
                    default -> TextField.TEXT_FIELD_TEXT;
                };
        OracleState.Text text = item.text(field);
        TextAppended.Builder append = TextAppended.newBuilder()
                .setEntryId(item.record.getEntryId())
                .setField(field)
                .setText(words());
        if (text == null) {
            return append.setOffset(random.nextInt(20) == 0 ? 3 : 0).build();
        }
        int length = text.bytes.size();
        int dice = random.nextInt(20);
        if (dice < 13) {
            return append.setOffset(length).build();
        }
        if (dice < 15) {
            return append.setOffset(random.nextInt(length + 3))
                    .setTruncate(random.nextBoolean())
                    .build();
        }
        List<Long> places = new ArrayList<>(text.places);
        places.add(0L);
        places.add((long) length);
        Collections.sort(places);
        long from = places.get(random.nextInt(places.size()));
        if (dice < 17) {
            return append.setOffset(from).setTruncate(true).build();
        }
        long to = places.get(random.nextInt(places.size()));
        if (to < from) {
            return append.setOffset(to)
                    .setTextBytes(text.bytes.substring((int) to, (int) from))
                    .build();
        }
        return append.setOffset(from)
                .setTextBytes(text.bytes.substring((int) from, (int) to))
                .build();
    }

    private EntryUpserted upsert() {
        OracleState.Item known = random.nextInt(3) > 0 ? someItem("") : null;
        Entry.Builder entry = Entry.newBuilder();
        if (known != null) {
            entry.setEntryId(known.record.getEntryId());
        } else {
            entry.setEntryId(random.nextInt(8) == 0 ? pick("ask-1", "ask-2") : IDS.get(random.nextInt(IDS.size())));
        }
        if (known == null || random.nextInt(4) > 0) {
            body(entry, random.nextInt(30) == 0 ? pick("m", "call", "ask") : entry.getEntryId());
        }
        if (random.nextInt(4) > 0) {
            entry.setState(EntryState.forNumber(random.nextInt(9)));
        }
        if (random.nextInt(4) == 0) {
            entry.setParentId(pick("", "sub-1", "sub-2"));
        }
        if (random.nextInt(5) == 0) {
            entry.setStartedAt(Timestamps.fromMillis(1_750_000_000_000L + random.nextInt(1_000)));
        }
        if (random.nextInt(5) == 0) {
            entry.setEndedAt(Timestamps.fromMillis(1_750_000_001_000L + random.nextInt(1_000)));
        }
        if (random.nextInt(8) == 0) {
            entry.setFailure(failure());
        }
        if (random.nextInt(40) == 0) {
            entry.setUnknownFields(
                    random.nextInt(4) == 0
                            ? many(200 + random.nextInt(100))
                            : unknown(
                                    100 + random.nextInt(2),
                                    pick(10, 57_100, 57_344, 65_300, 65_536) - random.nextInt(150)));
        }
        EntryUpserted.Builder upserted = EntryUpserted.newBuilder();
        if (random.nextInt(8) == 0) {
            upserted.setClear(FieldMask.newBuilder().addPaths(clearPath(entry.getEntryId())));
        }
        return upserted.setEntry(entry).build();
    }

    /** A field of a later contract. */
    static UnknownFieldSet unknown(int number, int bytes) {
        return UnknownFieldSet.newBuilder()
                .addField(
                        number,
                        UnknownFieldSet.Field.newBuilder()
                                .addLengthDelimited(ByteString.copyFrom(new byte[Math.max(0, bytes)]))
                                .build())
                .build();
    }

    /** So many of them. */
    static UnknownFieldSet many(int count) {
        UnknownFieldSet.Builder fields = UnknownFieldSet.newBuilder();
        for (int i = 0; i < count; i++) {
            fields.mergeVarintField(200 + i, Integer.MAX_VALUE).mergeVarintField(200 + i, 1);
        }
        return fields.build();
    }

    private String clearPath(String id) {
        String first = pick("parent_id", "ended_at", "failure", "started_at");
        if (random.nextInt(10) == 0) {
            return pick("state", "ordinal", "approval.decision", "message", "tool_call.nothing", "message.text");
        }
        if (random.nextBoolean()) {
            return first;
        }
        return switch (id.charAt(0)) {
            case 'm' -> pick("message.text", "message.name", "message.role");
            case 'c' -> pick("tool_call.result", "tool_call.result_reference", "tool_call.name");
            case 's' -> pick("sub_agent.output", "sub_agent.name");
            case 'f' -> pick("artifact.text", "artifact.reference");
            case 'u' -> pick("usage.cost_micros", "usage.model");
            case 'a' -> pick("approval.prompt", "approval.expires_at");
            default -> first;
        };
    }

    private void body(Entry.Builder entry, String like) {
        switch (like.charAt(0)) {
            case 'm' -> {
                ChatMessage.Builder body = ChatMessage.newBuilder().setRole(Role.forNumber(random.nextInt(6)));
                if (random.nextInt(3) == 0) {
                    body.setText(words());
                }
                if (random.nextInt(5) == 0) {
                    body.setName("planner");
                }
                entry.setMessage(body);
            }
            case 'c' -> {
                ToolCall.Builder body = ToolCall.newBuilder();
                if (random.nextBoolean()) {
                    body.setName(pick("search", "book"));
                }
                if (random.nextInt(3) == 0) {
                    body.setArguments(words());
                }
                if (random.nextInt(3) == 0) {
                    body.setResult(words());
                }
                if (random.nextInt(5) == 0) {
                    body.setResultReference(
                            Reference.newBuilder().setUri("file:///tmp/r").setSizeBytes(9));
                }
                entry.setToolCall(body);
            }
            case 's' -> {
                SubAgent.Builder body = SubAgent.newBuilder().setName("helper");
                if (random.nextInt(3) == 0) {
                    body.setOutput(words());
                }
                entry.setSubAgent(body);
            }
            case 't' -> entry.setTodo(Todo.newBuilder().setContent(words()).setPosition(random.nextInt(4)));
            case 'f' -> {
                Artifact.Builder body = Artifact.newBuilder().setName("notes.md");
                if (random.nextBoolean()) {
                    body.setText(words());
                }
                entry.setArtifact(body);
            }
            case 'a' ->
                entry.setApproval(Approval.newBuilder()
                        .setToolCallId("call-1")
                        .setPrompt(words())
                        .setDecidedBy("forged")
                        .setDecision(Decision.forNumber(random.nextInt(5))));
            default ->
                entry.setUsage(Usage.newBuilder()
                        .setModel("m")
                        .setInputTokens(random.nextInt(1_000))
                        .setOutputTokens(random.nextInt(1_000))
                        .setCostMicros(random.nextInt(100)));
        }
    }

    private TodosReplaced todos() {
        List<String> ids = new ArrayList<>(List.of("todo-1", "todo-2", "todo-3", "todo-4"));
        Collections.shuffle(ids, random);
        if (random.nextInt(20) == 0) {
            ids.set(0, "m1");
        }
        TodosReplaced.Builder todos = TodosReplaced.newBuilder().setParentId(pick("", "", "sub-1"));
        for (String id : ids.subList(0, random.nextInt(5))) {
            todos.addTodos(TodoItem.newBuilder()
                    .setEntryId(id)
                    .setContent(pick("look", "book", "pay"))
                    .setState(EntryState.forNumber(random.nextInt(7))));
        }
        return todos.build();
    }

    private ExecutionPatched patch() {
        ExecutionPatched.Builder patch = ExecutionPatched.newBuilder();
        if (random.nextBoolean()) {
            patch.setProgress(Progress.newBuilder().setPercent(random.nextInt(101)));
        } else if (random.nextInt(4) == 0) {
            patch.setClearProgress(true);
        }
        if (random.nextBoolean()) {
            patch.putLabels("team/" + random.nextInt(3), words());
        }
        if (random.nextInt(4) == 0) {
            patch.putContext("thread", words());
        }
        if (random.nextInt(4) == 0) {
            patch.addClearLabels("team/" + random.nextInt(3)).addClearContext("thread");
        }
        if (random.nextInt(20) == 0) {
            for (int i = 0; i < 40; i++) {
                patch.putLabels("many-" + random.nextInt(200), "x");
            }
        }
        return patch.build();
    }

    private PhaseChanged phase() {
        int number = random.nextInt(8) > 0 ? 1 + random.nextInt(4) : 5 + random.nextInt(4);
        PhaseChanged.Builder phase =
                PhaseChanged.newBuilder().setPhase(Phase.forNumber(number)).setReason(pick("", "because"));
        if (random.nextInt(3) == 0) {
            phase.setFailure(failure());
        }
        return phase.build();
    }

    private Declared declared() {
        Declared.Builder declared = Declared.newBuilder()
                .setSpec(ExecutionSpec.newBuilder()
                        .setAgent(random.nextInt(6) == 0 ? "other" : "planner")
                        .setInput("Plan a trip to 東京")
                        .setWorkflowId(oracle.state.rules == 0 || random.nextInt(5) > 0 ? workflow() : ""));
        if (random.nextInt(3) == 0) {
            declared.putLabels("team/1", "declared");
        }
        return declared.build();
    }

    private String workflow() {
        return random.nextInt(3) == 0 ? "workflow-1" : "";
    }

    private ApprovalDecided decide() {
        Decision decision = Decision.forNumber(1 + random.nextInt(4));
        ApprovalDecided.Builder decided = ApprovalDecided.newBuilder()
                .setEntryId(random.nextInt(12) == 0 ? "m1" : someApproval())
                .setDecision(decision)
                .setComment(pick("", "fine"));
        if (decision == Decision.DECISION_EDIT || random.nextInt(20) == 0) {
            decided.setArguments(words());
        }
        return decided.build();
    }

    private String someApproval() {
        List<String> asked = oracle.state.items.stream()
                .filter(item -> item.record.hasApproval())
                .map(item -> item.record.getEntryId())
                .toList();
        return asked.isEmpty() ? "ask-1" : asked.get(random.nextInt(asked.size()));
    }

    private ControlRequested control() {
        return ControlRequested.newBuilder()
                .setControl(Control.forNumber(1 + random.nextInt(4)))
                .setReason(pick("", "asked"))
                .build();
    }

    private Verdict verdict() {
        boolean right = random.nextInt(4) > 0;
        Verdict.Builder verdict = Verdict.newBuilder()
                .setKind(VerdictKind.forNumber(random.nextInt(6) == 0 ? 3 : 1 + random.nextInt(2)))
                .setAsOf(Math.max(1, oracle.state.version - (right ? 0 : 1)))
                .setEpoch(oracle.state.epoch);
        if (random.nextInt(3) == 0) {
            verdict.setFailure(failure());
        }
        boolean hasWorkflow = !oracle.state.spec.getWorkflowId().isEmpty();
        if (random.nextInt(4) < (hasWorkflow ? 3 : 1)) {
            verdict.setOutcome(Phase.forNumber(random.nextInt(6) == 0 ? 1 + random.nextInt(4) : 5 + random.nextInt(4)));
        }
        return verdict.build();
    }

    private Failure failure() {
        return random.nextInt(4) == 0
                ? Failure.getDefaultInstance()
                : Failure.newBuilder()
                        .setCode(pick("TOOL_ERROR", ""))
                        .setMessage("broke")
                        .build();
    }

    private Update broken(Update.Builder update) {
        return switch (random.nextInt(6)) {
            case 0 -> update.build();
            case 1 ->
                update.setPhaseChanged(PhaseChanged.newBuilder().setPhaseValue(77))
                        .build();
            case 2 ->
                update.setTextAppended(
                                TextAppended.newBuilder().setEntryId("m1").setFieldValue(9))
                        .build();
            case 3 ->
                update.setEntryUpserted(EntryUpserted.newBuilder()
                                .setEntry(Entry.newBuilder().setEntryId("not an id")))
                        .build();
            case 4 -> update.setVerdict(verdict()).build();
            default ->
                update.setPhaseChanged(PhaseChanged.newBuilder().setPhase(Phase.PHASE_WAITING_FOR_APPROVAL))
                        .build();
        };
    }

    private OracleState.@Nullable Item someItem(String texts) {
        List<OracleState.Item> items = oracle.state.items;
        if (!texts.isEmpty()) {
            items = items.stream()
                    .filter(i -> "mcsf".indexOf(i.record.getEntryId().charAt(0)) >= 0)
                    .toList();
        }
        return items.isEmpty() ? null : items.get(random.nextInt(items.size()));
    }

    private String words() {
        StringBuilder words = new StringBuilder();
        for (int i = random.nextInt(4); i >= 0; i--) {
            words.append(WORDS.get(random.nextInt(WORDS.size())));
        }
        return words.toString();
    }
}
