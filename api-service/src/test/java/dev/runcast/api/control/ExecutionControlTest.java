package dev.runcast.api.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.runcast.api.ApiFixture;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.doors.Role;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CancelExecutionResponse;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.DecideApprovalResponse;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Execution;
import dev.runcast.v1.PauseExecutionRequest;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RecoverExecutionRequest;
import dev.runcast.v1.ResumeExecutionRequest;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import reactor.core.publisher.Mono;

class ExecutionControlTest {
    private static final Principal DANA = new Principal("default", "dana", Role.OPERATOR);

    @SuppressWarnings("NullAway.Init")
    private static ApiFixture api;

    @SuppressWarnings("NullAway.Init")
    private static ExecutionControl control;

    @BeforeAll
    static void start() {
        api = new ApiFixture(null);
        control = api.part(ExecutionControl.class);
    }

    @AfterAll
    static void stop() throws InterruptedException {
        api.close();
    }

    @AfterEach
    void allIsWell() {
        api.log.up = true;
        api.log.merging = true;
        api.log.ringing = true;
        api.log.merge();
    }

    @ParameterizedTest
    @EnumSource(
            value = Phase.class,
            names = {"PHASE_PENDING", "PHASE_RUNNING", "PHASE_WAITING_FOR_APPROVAL", "PHASE_PAUSED"})
    void cancelEndsWhatNobodyIsThereToEnd(Phase phase) {
        String id = "cancel-" + phase.getNumber();
        api.log.runs("default", id);
        if (phase == Phase.PHASE_WAITING_FOR_APPROVAL) {
            api.log.asks("default", id, "a1");
        } else if (phase == Phase.PHASE_PAUSED) {
            assertThat(wait(control.pause(
                                    DANA,
                                    PauseExecutionRequest.newBuilder()
                                            .setExecutionId(id)
                                            .build()))
                            .getPhase())
                    .isEqualTo(Phase.PHASE_PAUSED);
        }
        CancelExecutionResponse answer = cancel(id, "");
        assertThat(answer.getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
        assertThat(answer.getRequestId()).isNotEmpty();
        assertThat(answer.getVersion()).isEqualTo(stored(id).getVersion());
    }

    @Test
    void cancelAfterTheEndIsRefusedWithThePhase() {
        api.log.runs("default", "ended");
        api.log.phase("default", "ended", Phase.PHASE_COMPLETED);
        DoorException refused = failure(control.cancel(DANA, cancelOf("ended", "late")));
        assertThat(refused.reason()).isEqualTo(Reason.ENDED);
        assertThat(refused.metadata())
                .containsEntry("phase", "PHASE_COMPLETED")
                .containsEntry("request_id", "late")
                .containsEntry("version", "4");
        // Told again, and not asked again.
        assertThat(failure(control.cancel(DANA, cancelOf("ended", "late"))).metadata())
                .isEqualTo(refused.metadata());
        assertThat(stored("ended").getVersion()).isEqualTo(4);
    }

    @Test
    void repeatedRequestGetsTheFirstAnswer() {
        api.log.runs("default", "twice");
        CancelExecutionResponse first = cancel("twice", "r1");
        assertThat(cancel("twice", "r1")).isEqualTo(first);
        assertThat(stored("twice").getVersion()).isEqualTo(first.getVersion());
    }

    /** The first one is in the log but not yet in the store: the merge drops the second, which makes no change. */
    @Test
    void repeatThatTheMergeDropsFindsTheAnswerOfTheFirst() {
        api.log.runs("default", "dropped");
        api.log.merging = false;
        assertThat(failure(control.cancel(DANA, cancelOf("dropped", "r1"))).reason())
                .isEqualTo(Reason.NO_ANSWER);
        CompletableFuture<CancelExecutionResponse> again =
                control.cancel(DANA, cancelOf("dropped", "r1")).toFuture();
        org.awaitility.Awaitility.await().until(() -> api.log.waiting() == 2);
        api.log.ringing = false;
        api.log.merge();
        assertThat(again.join().getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
        assertThat(stored("dropped").getVersion()).isEqualTo(again.join().getVersion());
    }

    @Test
    void silentBellDelaysTheAnswerAndNoMore() {
        api.log.runs("default", "silent");
        api.log.ringing = false;
        assertThat(cancel("silent", "").getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
    }

    @Test
    void logThatIsAwayIsUnavailableAndTheSameRequestSucceedsWhenItIsBack() {
        api.log.runs("default", "away");
        api.log.up = false;
        DoorException failed = failure(control.cancel(DANA, cancelOf("away", "r1")));
        assertThat(failed.reason()).isEqualTo(Reason.LOG_UNAVAILABLE);
        assertThat(failed).hasMessageContaining("same request_id again, which is safe");
        api.log.up = true;
        assertThat(cancel("away", "r1").getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
    }

    @Test
    void mergeThatDoesNotAnswerIsUnavailableAndTheServersRequestIdIsTold() {
        api.log.runs("default", "stuck");
        api.log.merging = false;
        DoorException failed = failure(control.cancel(DANA, cancelOf("stuck", "")));
        assertThat(failed.reason()).isEqualTo(Reason.NO_ANSWER);
        api.log.merging = true;
        api.log.merge();
        String requestId = Objects.requireNonNull(failed.metadata().get("request_id"));
        assertThat(cancel("stuck", requestId).getPhase()).isEqualTo(Phase.PHASE_CANCELLED);
        assertThat(stored("stuck").getVersion()).isEqualTo(3);
    }

    @Test
    void pauseAndResumeAnyNumberOfTimes() {
        api.log.runs("default", "held");
        for (int i = 0; i < 10; i++) {
            assertThat(pause("held")).isEqualTo(Phase.PHASE_PAUSED);
            assertThat(resume("held")).isEqualTo(Phase.PHASE_RUNNING);
        }
        assertThat(failure(control.resume(
                        DANA,
                        ResumeExecutionRequest.newBuilder()
                                .setExecutionId("held")
                                .build())))
                .satisfies(refused -> {
                    assertThat(refused.reason()).isEqualTo(Reason.TRANSITION);
                    assertThat(refused.metadata()).containsEntry("phase", "PHASE_RUNNING");
                });
    }

    @Test
    void recoverIsForWhatHasAWorkflow() {
        api.log.runs("default", "gone");
        api.log.phase("default", "gone", Phase.PHASE_FAILED);
        DoorException refused = failure(control.recover(
                DANA,
                RecoverExecutionRequest.newBuilder().setExecutionId("gone").build()));
        assertThat(refused.reason()).isEqualTo(Reason.TRANSITION);
        assertThat(refused.metadata()).containsEntry("phase", "PHASE_FAILED");
    }

    @Test
    void whatIsNotThereIsNotFoundAndIsNotBegun() {
        int before = api.log.appended();
        assertThat(failure(control.cancel(DANA, cancelOf("nobody", ""))).reason())
                .isEqualTo(Reason.NOT_FOUND);
        assertThat(api.log.appended()).isEqualTo(before);
    }

    @Test
    void requestIdOfAnotherRequestIsNamed() {
        api.log.runs("default", "mixed");
        control.pause(
                        DANA,
                        PauseExecutionRequest.newBuilder()
                                .setExecutionId("mixed")
                                .setRequestId("r1")
                                .build())
                .block();
        DoorException refused = failure(control.cancel(DANA, cancelOf("mixed", "r1")));
        assertThat(refused.reason()).isEqualTo(Reason.INVALID);
        assertThat(refused).hasMessageContaining("this one was used for PAUSE");
    }

    @Test
    void ofFiftyWhoDecideAtOnceOneWinsAndAllAreToldWho() {
        api.log.runs("default", "gate");
        api.log.asks("default", "gate", "a1");
        List<CompletableFuture<DecideApprovalResponse>> all = IntStream.range(0, 50)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> wait(control.decide(
                        new Principal("default", "person-" + i, Role.OPERATOR),
                        decision("gate", i % 2 == 0 ? Decision.DECISION_APPROVE : Decision.DECISION_REJECT)))))
                .toList();
        List<DecideApprovalResponse> answers =
                all.stream().map(CompletableFuture::join).toList();
        List<DecideApprovalResponse> won =
                answers.stream().filter(DecideApprovalResponse::getWon).toList();
        assertThat(won).hasSize(1);
        assertThat(answers).allSatisfy(answer -> {
            assertThat(answer.getDecidedBy()).isEqualTo(won.get(0).getDecidedBy());
            assertThat(answer.getDecision()).isEqualTo(won.get(0).getDecision());
        });
        assertThat(stored("gate").getPhase()).isEqualTo(Phase.PHASE_RUNNING);
    }

    @Test
    void editBringsItsArgumentsAndNothingElseDoes() {
        api.log.runs("default", "edit");
        api.log.asks("default", "edit", "a1");
        assertThat(failure(control.decide(DANA, decision("edit", Decision.DECISION_EDIT))))
                .hasMessage("decided.arguments: not given (expected: the changed arguments, with EDIT)");
        DecideApprovalRequest.Builder request = decision("edit", Decision.DECISION_EDIT).toBuilder();
        request.getDecidedBuilder().setArguments("{\"a\": 2}").setComment("smaller");
        DecideApprovalResponse answer = wait(control.decide(DANA, request.build()));
        assertThat(answer.getWon()).isTrue();
        assertThat(answer.getDecision()).isEqualTo(Decision.DECISION_EDIT);
        assertThat(answer.getDecidedBy()).isEqualTo("dana");
    }

    @Test
    void approvalThatNobodyAskedForIsRefused() {
        api.log.runs("default", "no-gate");
        DoorException refused = failure(control.decide(DANA, decision("no-gate", Decision.DECISION_SKIP)));
        assertThat(refused.reason()).isEqualTo(Reason.UNKNOWN_ENTRY);
        assertThat(refused.metadata()).containsEntry("phase", "PHASE_RUNNING");
    }

    private static CancelExecutionResponse cancel(String id, String requestId) {
        return wait(control.cancel(DANA, cancelOf(id, requestId)));
    }

    private static Phase pause(String id) {
        return wait(control.pause(
                        DANA,
                        PauseExecutionRequest.newBuilder().setExecutionId(id).build()))
                .getPhase();
    }

    private static Phase resume(String id) {
        return wait(control.resume(
                        DANA,
                        ResumeExecutionRequest.newBuilder().setExecutionId(id).build()))
                .getPhase();
    }

    private static CancelExecutionRequest cancelOf(String id, String requestId) {
        return CancelExecutionRequest.newBuilder()
                .setExecutionId(id)
                .setRequestId(requestId)
                .setReason("enough")
                .build();
    }

    private static DecideApprovalRequest decision(String id, Decision decision) {
        return DecideApprovalRequest.newBuilder()
                .setExecutionId(id)
                .setDecided(ApprovalDecided.newBuilder().setEntryId("a1").setDecision(decision))
                .build();
    }

    private static Execution stored(String id) {
        return wait(api.store.execution(new ExecutionKey("default", id)));
    }

    private static DoorException failure(Mono<?> answer) {
        return Objects.requireNonNull(catchThrowableOfType(DoorException.class, answer::block));
    }

    private static <T> T wait(Mono<T> answer) {
        return Objects.requireNonNull(answer.block());
    }
}
