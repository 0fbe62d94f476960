package dev.runcast.worker.supervise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.runcast.workflow.FailureDetail;
import io.temporal.api.enums.v1.RetryState;
import io.temporal.api.enums.v1.TimeoutType;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.ServerFailure;
import io.temporal.failure.TimeoutFailure;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Failures as Temporal's own server gives them; the test server does not refuse results. */
class AttemptFailuresTest {
    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(
                        new ServerFailure("Complete result exceeds size limit.", true),
                        "RESULT_TOO_LARGE",
                        "ExecuteGraphton came back with what Temporal does not take: Complete result exceeds size limit.",
                        false),
                Arguments.of(
                        new ServerFailure("the payload is broken", true),
                        "RESULT_REFUSED",
                        "ExecuteGraphton came back with what Temporal does not take: the payload is broken",
                        false),
                Arguments.of(
                        new TimeoutFailure("", null, TimeoutType.TIMEOUT_TYPE_HEARTBEAT),
                        "WORKER_LOST",
                        "ExecuteGraphton: the worker gave no sign of life, and neither did the attempts before it",
                        true),
                Arguments.of(
                        new TimeoutFailure("", null, TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE),
                        "ATTEMPT_TIMED_OUT",
                        "ExecuteGraphton: the attempt did not end in time, and neither did the attempts before it",
                        true),
                Arguments.of(
                        ApplicationFailure.newNonRetryableFailure("too dear", "BUDGET"), "BUDGET", "too dear", false),
                Arguments.of(
                        ApplicationFailure.newFailure("", "java.io.IOException"),
                        "AGENT_ERROR",
                        "java.io.IOException",
                        true));
    }

    @ParameterizedTest(name = "{1}")
    @MethodSource("failures")
    void personIsToldWhatHappened(Throwable cause, String code, String message, boolean retryable) {
        ActivityFailure failure = new ActivityFailure(
                "activity failed",
                5,
                6,
                "ExecuteGraphton",
                "a",
                RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED,
                "worker",
                cause);
        assertThat(AttemptFailures.of(failure)).isEqualTo(new FailureDetail(code, message, retryable));
    }
}
