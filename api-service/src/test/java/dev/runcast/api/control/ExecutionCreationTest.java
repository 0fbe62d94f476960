package dev.runcast.api.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.runcast.api.ApiFixture;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.doors.Role;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Link;
import dev.runcast.v1.Phase;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

class ExecutionCreationTest {
    private static final Principal DANA = new Principal("acme", "dana", Role.OPERATOR);

    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static ExecutionCreation creation;

    @BeforeAll
    static void start() {
        api = new ApiFixture(null);
        creation = api.part(ExecutionCreation.class);
    }

    @AfterAll
    static void stop() throws InterruptedException {
        api.close();
    }

    @Test
    void createdExecutionHasItsSpecAndItsWorkflowAndCanBeRead() {
        CreateExecutionRequest request = CreateExecutionRequest.newBuilder()
                .setExecutionId("trip")
                .setRequestId("r1")
                .setSpec(ExecutionSpec.newBuilder()
                        .setAgent("planner")
                        .setSessionId("s1")
                        .setInput("Lisbon")
                        .addLinks(Link.newBuilder().setRel("ticket").setUri("https://example.com/1")))
                .putLabels("team", "travel")
                .build();
        CreateExecutionResponse answer = wait(creation.create(DANA, request));
        assertThat(answer.getRequestId()).isEqualTo("r1");
        Execution execution = answer.getExecution();
        assertThat(execution.getTenant()).isEqualTo("acme");
        assertThat(execution.getExecutionId()).isEqualTo("trip");
        assertThat(execution.getPhase()).isEqualTo(Phase.PHASE_PENDING);
        assertThat(execution.getSpec())
                .isEqualTo(request.getSpec().toBuilder()
                        .setWorkflowId("agent-execution/acme/trip")
                        .build());
        assertThat(execution.getAttributes().getLabelsMap()).containsEntry("team", "travel");
        assertThat(stored("trip")).isEqualTo(execution);
    }

    @Test
    void withoutNamesTheServerChoosesThem() {
        CreateExecutionResponse answer = wait(creation.create(DANA, request("", "", "planner")));
        assertThat(answer.getRequestId()).hasSize(36);
        assertThat(answer.getExecution().getExecutionId()).isEqualTo(answer.getRequestId());
        CreateExecutionResponse again = wait(creation.create(DANA, request("", answer.getRequestId(), "planner")));
        assertThat(again).isEqualTo(answer);
    }

    @Test
    void withoutAWorkflowThereIsNone() {
        CreateExecutionRequest request = request("alone", "", "planner").toBuilder()
                .setWithoutWorkflow(true)
                .build();
        assertThat(wait(creation.create(DANA, request)).getExecution().getSpec().getWorkflowId())
                .isEmpty();
    }

    @Test
    void sameRequestGetsTheSameAnswerAlsoWhenTheRunHasGoneOn() {
        CreateExecutionRequest request = request("same", "r1", "planner");
        CreateExecutionResponse first = wait(creation.create(DANA, request));
        api.log.phase("acme", "same", Phase.PHASE_RUNNING);
        assertThat(wait(creation.create(DANA, request))).isEqualTo(first);
        assertThat(stored("same").getVersion()).isEqualTo(2);
    }

    @Test
    void otherRequestIsToldWhoWasFirst() {
        creation.create(DANA, request("mine", "r1", "planner")).block();
        DoorException refused = failure(creation.create(DANA, request("mine", "r2", "planner")));
        assertThat(refused.reason()).isEqualTo(Reason.ALREADY_EXISTS);
        assertThat(refused.metadata())
                .containsEntry("winner", "dana")
                .containsEntry("winner_request_id", "r1")
                .containsEntry("execution_id", "mine");
        assertThat(stored("mine").getVersion()).isEqualTo(1);
    }

    @Test
    void sameRequestIdWithAnotherSpecIsNamed() {
        creation.create(DANA, request("other", "r1", "planner")).block();
        assertThat(failure(creation.create(DANA, request("other", "r1", "writer"))))
                .hasMessageStartingWith("request_id: r1 (expected: one that this execution has not seen");
    }

    @Test
    void executionThatARunnerBeganIsTaken() {
        api.log.runs("acme", "begun");
        assertThat(failure(creation.create(DANA, request("begun", "r1", "planner")))
                        .reason())
                .isEqualTo(Reason.ALREADY_EXISTS);
    }

    @Test
    void ofTwentyWhoCreateAtOnceOneWins() {
        List<CompletableFuture<String>> all = IntStream.range(0, 20)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> {
                    try {
                        creation.create(DANA, request("race", "r" + i, i % 2 == 0 ? "planner" : "writer"))
                                .block();
                        return "won r" + i;
                    } catch (DoorException e) {
                        assertThat(e.reason()).isEqualTo(Reason.ALREADY_EXISTS);
                        return "lost to " + e.metadata().get("winner_request_id");
                    }
                }))
                .toList();
        List<String> answers = all.stream().map(CompletableFuture::join).toList();
        List<String> won =
                answers.stream().filter(answer -> answer.startsWith("won")).toList();
        assertThat(won).hasSize(1);
        assertThat(answers).contains(won.get(0).replace("won", "lost to")).hasSize(20);
        assertThat(answers.stream().distinct()).hasSize(2);
    }

    @Test
    void whatIsMissingOrTooMuchIsNamedBeforeAnythingIsAppended() {
        int before = api.log.appended();
        assertThat(failure(creation.create(DANA, request("bad", "", "")))).hasMessageStartingWith("spec.agent: \"\"");
        assertThat(failure(creation.create(
                        DANA,
                        request("bad", "", "planner").toBuilder()
                                .putLabels("ü", "x")
                                .build())))
                .hasMessageContaining("labels");
        CreateExecutionRequest.Builder workflow = request("bad", "", "planner").toBuilder();
        workflow.getSpecBuilder().setWorkflowId("mine");
        assertThat(failure(creation.create(DANA, workflow.build())))
                .hasMessageStartingWith("spec.workflow_id: \"mine\" (expected: none");
        assertThat(api.log.appended()).isEqualTo(before);
    }

    private static CreateExecutionRequest request(String id, String requestId, String agent) {
        return CreateExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setRequestId(requestId)
                .setSpec(ExecutionSpec.newBuilder().setAgent(agent))
                .build();
    }

    private static Execution stored(String id) {
        return wait(api.store.execution(new ExecutionKey("acme", id)));
    }

    private static DoorException failure(Mono<?> answer) {
        return Objects.requireNonNull(catchThrowableOfType(DoorException.class, answer::block));
    }

    private static <T> T wait(Mono<T> answer) {
        return Objects.requireNonNull(answer.block());
    }
}
