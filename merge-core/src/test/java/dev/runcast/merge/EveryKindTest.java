package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.Control;
import dev.runcast.v1.Decision;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Progress;
import dev.runcast.v1.Recovered;
import dev.runcast.v1.TodoItem;
import dev.runcast.v1.TodosReplaced;
import dev.runcast.v1.Update;
import dev.runcast.v1.Verdict;
import dev.runcast.v1.VerdictKind;
import dev.runcast.v1.WriterKind;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A kind of update that is added to the contract fails here by name until the merge handles it. */
final class EveryKindTest {
    private static final Map<String, Update> SAMPLES = samples();
    private static final Map<String, String> WRITERS = Map.ofEntries(
            Map.entry("declared", "RUNNER WORKFLOW OPERATOR SYSTEM"),
            Map.entry("attempt_started", "RUNNER WORKFLOW SYSTEM"),
            Map.entry("phase_changed", "RUNNER WORKFLOW SYSTEM"),
            Map.entry("recovered", "WORKFLOW SYSTEM"),
            Map.entry("execution_patched", "RUNNER WORKFLOW SYSTEM"),
            Map.entry("entry_upserted", "RUNNER WORKFLOW SYSTEM"),
            Map.entry("todos_replaced", "RUNNER WORKFLOW SYSTEM"),
            Map.entry("text_appended", "RUNNER WORKFLOW SYSTEM"),
            Map.entry("approval_decided", "WORKFLOW OPERATOR SYSTEM"),
            Map.entry("control_requested", "WORKFLOW OPERATOR SYSTEM"),
            Map.entry("verdict", "WORKFLOW SYSTEM"),
            Map.entry("omitted", "RUNNER"));

    static Stream<String> kinds() {
        return Update.getDescriptor().getOneofs().stream()
                .filter(oneof -> oneof.getName().equals("change"))
                .flatMap(oneof -> oneof.getFields().stream())
                .map(FieldDescriptor::getName);
    }

    @Test
    void everyKindHasASampleAndWriters() {
        Set<String> kinds = Set.copyOf(kinds().toList());
        assertThat(SAMPLES.keySet()).as("samples").containsExactlyInAnyOrderElementsOf(kinds);
        assertThat(WRITERS.keySet()).as("writers").containsExactlyInAnyOrderElementsOf(kinds);
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void kindIsAppliedFromThoseWhoMaySayItAndNotPermittedFromOthers(String kind) {
        List<String> may = List.of(WRITERS.getOrDefault(kind, "").split(" "));
        for (String writer : List.of("RUNNER", "WORKFLOW", "OPERATOR", "SYSTEM")) {
            Fixture execution = ready(kind);
            long before = execution.view.version();
            MergeResult result = execution.request(
                    WriterKind.valueOf("WRITER_KIND_" + writer),
                    SAMPLES.getOrDefault(kind, Update.getDefaultInstance()));
            assertThat(execution.view.version()).as("one change").isEqualTo(before + 1);
            List<String> refused =
                    result.rejections().stream().map(r -> r.getReason().name()).toList();
            assertThat(refused)
                    .as("%s from %s", kind, writer)
                    .isEqualTo(may.contains(writer) ? List.of() : List.of("REJECTION_REASON_NOT_PERMITTED"));
        }
    }

    /** An execution in which the sample of the kind makes sense. */
    private static Fixture ready(String kind) {
        Fixture execution = new Fixture();
        execution.run(Fixture.started(), Fixture.message("m1", EntryState.ENTRY_STATE_RUNNING), Fixture.asks("ask-1"));
        if (kind.equals("recovered")) {
            execution.request(WriterKind.WRITER_KIND_WORKFLOW, Fixture.says(Phase.PHASE_FAILED));
        }
        return execution;
    }

    private static Map<String, Update> samples() {
        Map<String, Update> samples = new TreeMap<>();
        samples.put("declared", Fixture.declared(""));
        samples.put("attempt_started", Fixture.started());
        samples.put("phase_changed", Fixture.says(Phase.PHASE_RUNNING));
        samples.put(
                "recovered",
                Update.newBuilder().setRecovered(Recovered.getDefaultInstance()).build());
        samples.put(
                "execution_patched",
                Update.newBuilder()
                        .setExecutionPatched(ExecutionPatched.newBuilder()
                                .setProgress(Progress.newBuilder().setPercent(5)))
                        .build());
        samples.put("entry_upserted", Fixture.message("m2", EntryState.ENTRY_STATE_COMPLETED));
        samples.put(
                "todos_replaced",
                Update.newBuilder()
                        .setTodosReplaced(TodosReplaced.newBuilder()
                                .addTodos(TodoItem.newBuilder().setEntryId("t1").setContent("look")))
                        .build());
        samples.put("text_appended", Fixture.append("m1", 0, "Hello"));
        samples.put(
                "approval_decided",
                Update.newBuilder()
                        .setApprovalDecided(
                                ApprovalDecided.newBuilder().setEntryId("ask-1").setDecision(Decision.DECISION_APPROVE))
                        .build());
        samples.put("control_requested", Fixture.control(Control.CONTROL_PAUSE));
        samples.put(
                "verdict",
                Update.newBuilder()
                        .setVerdict(Verdict.newBuilder()
                                .setKind(VerdictKind.VERDICT_KIND_STALLED)
                                .setEpoch(Fixture.EPOCH)
                                .setAsOf(3))
                        .build());
        samples.put(
                "omitted",
                Update.newBuilder().setOmitted(Omitted.newBuilder().setCount(2)).build());
        return samples;
    }
}
