package dev.runcast.worker.supervise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.workflow.ApprovalDecision;
import dev.runcast.workflow.ExecutionNews;
import dev.runcast.workflow.ExecutionRequest;
import dev.runcast.workflow.FailureDetail;
import dev.runcast.workflow.SupervisionPolicy;
import java.util.List;
import org.junit.jupiter.api.Test;

class SupervisionTest {
    private final Supervision supervision = new Supervision(
            new ExecutionRequest("acme", "run-1", "planner", "", "", 5, 0, false, false, 0, policy(), null));

    @Test
    void newsThatHaveBeenSeenChangeNothing() {
        supervision.apply(control(7, "PAUSE"));
        supervision.apply(control(8, "RESUME"));
        supervision.apply(control(7, "PAUSE"));
        assertThat(supervision.paused()).isFalse();
    }

    @Test
    void newsOfBeforeTheDeclarationChangeNothing() {
        supervision.apply(control(5, "CANCEL"));
        assertThat(supervision.mustEnd()).isFalse();
    }

    @Test
    void aDecisionThatComesBeforeTheAttemptIsBackIsNotWaitedFor() {
        supervision.apply(decided(6, "a1"));
        supervision.waitFor(List.of("a1", "a2"));
        assertThat(supervision.undecided()).containsExactly("a2");
        supervision.apply(decided(7, "a2"));
        assertThat(supervision.mayRun()).isTrue();
        assertThat(supervision.decisions())
                .extracting(ApprovalDecision::approvalId)
                .containsExactly("a1", "a2");
    }

    @Test
    void aDecisionThatAnAttemptWasGivenIsNotGivenTwice() {
        supervision.apply(decided(6, "a1"));
        List<ApprovalDecision> given = supervision.decisions();
        supervision.apply(decided(7, "a2"));
        supervision.delivered(given);
        assertThat(supervision.decisions())
                .extracting(ApprovalDecision::approvalId)
                .containsExactly("a2");
    }

    @Test
    void anAttemptToComeIsNewerThanEveryOneThatIsKnown() {
        supervision.attempted(100);
        assertThat(supervision.leastEpoch()).isEqualTo(101);
        supervision.apply(new ExecutionNews(9, "", "", "", FailureDetail.NONE, false, 200, List.of()));
        assertThat(supervision.leastEpoch()).isEqualTo(201);
        supervision.attempted(150);
        assertThat(supervision.leastEpoch()).isEqualTo(201);
    }

    @Test
    void aRecoveryEndsWhatHeldBeforeTheEnd() {
        supervision.apply(control(6, "CANCEL"));
        supervision.apply(new ExecutionNews(7, "", "", "CANCELLED", FailureDetail.NONE, false, 0, List.of()));
        supervision.apply(control(9, "RECOVER"));
        assertThat(supervision.recoverAsked()).isTrue();
        assertThat(supervision.beginRecovery()).isEqualTo(9);
        assertThat(supervision.mustEnd()).isFalse();
        assertThat(supervision.recoverAsked()).isFalse();
        supervision.apply(new ExecutionNews(10, "", "", "", FailureDetail.NONE, true, 0, List.of()));
        assertThat(supervision.recovered()).isTrue();
    }

    private static ExecutionNews control(long version, String control) {
        return new ExecutionNews(version, control, "dana", "", FailureDetail.NONE, false, 0, List.of());
    }

    private static ExecutionNews decided(long version, String approvalId) {
        return new ExecutionNews(
                version,
                "",
                "",
                "",
                FailureDetail.NONE,
                false,
                0,
                List.of(new ApprovalDecision(approvalId, "APPROVE", null, "", "dana")));
    }

    private static SupervisionPolicy policy() {
        return new SupervisionPolicy(1, 1, 1, 1, 1, 1, 1, "log", "");
    }
}
