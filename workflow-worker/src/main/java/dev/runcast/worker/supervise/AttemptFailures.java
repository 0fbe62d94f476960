package dev.runcast.worker.supervise;

import dev.runcast.workflow.FailureDetail;
import io.temporal.api.enums.v1.RetryState;
import io.temporal.failure.ActivityFailure;
import io.temporal.failure.ApplicationFailure;
import io.temporal.failure.CanceledFailure;
import io.temporal.failure.ServerFailure;
import io.temporal.failure.TimeoutFailure;
import java.util.Locale;
import java.util.regex.Pattern;

/** What a person is told about an activity that did not come back with a result. */
final class AttemptFailures {
    private static final Pattern CODE = Pattern.compile("[A-Z][A-Z0-9_]{0,63}");
    private static final int MESSAGE_CHARACTERS = 2000;

    private AttemptFailures() {}

    static boolean isCancelled(ActivityFailure failure) {
        return failure.getCause() instanceof CanceledFailure;
    }

    static FailureDetail of(ActivityFailure failure) {
        Throwable cause = failure.getCause();
        if (cause instanceof TimeoutFailure timeout) {
            return timedOut(failure, timeout);
        }
        if (cause instanceof ApplicationFailure thrown) {
            return new FailureDetail(
                    code(thrown.getType()),
                    message(thrown.getOriginalMessage(), thrown.getType()),
                    !thrown.isNonRetryable());
        }
        if (cause instanceof ServerFailure refused) {
            String said = message(refused.getOriginalMessage(), "the server gave no reason");
            boolean large = said.toLowerCase(Locale.ROOT).contains("size")
                    || said.toLowerCase(Locale.ROOT).contains("limit");
            return new FailureDetail(
                    large ? "RESULT_TOO_LARGE" : "RESULT_REFUSED",
                    failure.getActivityType() + " came back with what Temporal does not take: " + said,
                    false);
        }
        return new FailureDetail("AGENT_ERROR", message(String.valueOf(cause), ""), true);
    }

    /** What an activity came back with is not what its contract says. */
    static FailureDetail unreadable(String activity, RuntimeException why) {
        return new FailureDetail(
                "INVALID_RESULT", activity + ": " + message(String.valueOf(why.getMessage()), "cannot be read"), false);
    }

    /** The same, for a field that is not there. */
    static FailureDetail missing(String activity, String field) {
        return new FailureDetail("INVALID_RESULT", activity + ": no " + field + " in its result", false);
    }

    private static FailureDetail timedOut(ActivityFailure failure, TimeoutFailure timeout) {
        String times = failure.getRetryState() == RetryState.RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED
                ? ", and neither did the attempts before it"
                : "";
        String what =
                switch (timeout.getTimeoutType()) {
                    case TIMEOUT_TYPE_HEARTBEAT -> "the worker gave no sign of life";
                    case TIMEOUT_TYPE_SCHEDULE_TO_START -> "no worker took it in time";
                    default -> "the attempt did not end in time";
                };
        String code = timeout.getTimeoutType() == io.temporal.api.enums.v1.TimeoutType.TIMEOUT_TYPE_HEARTBEAT
                ? "WORKER_LOST"
                : "ATTEMPT_TIMED_OUT";
        return new FailureDetail(code, failure.getActivityType() + ": " + what + times, true);
    }

    /** An exception's class name says nothing a program should rely on. */
    private static String code(String type) {
        return CODE.matcher(type).matches() ? type : "AGENT_ERROR";
    }

    private static String message(String said, String otherwise) {
        String message = said == null || said.isBlank() ? otherwise : said;
        return message.length() <= MESSAGE_CHARACTERS ? message : message.substring(0, MESSAGE_CHARACTERS) + "…";
    }
}
