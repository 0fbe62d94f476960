package dev.runcast.worker.supervise;

import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Recovered;
import dev.runcast.v1.Update;
import dev.runcast.v1.WriterKind;
import dev.runcast.workflow.FailureDetail;

/** Appends the workflow's updates to the log in Kafka. What fails is thrown, and Temporal tries again. Thread-safe. */
public final class KafkaLogActivities implements LogActivities {
    /** Under this key of an execution's context stands where its workflow can be looked at. */
    public static final String PAGE_URL = "workflow.url";

    private final UpdateAppender appender;

    /** Appends through this. */
    public KafkaLogActivities(UpdateAppender appender) {
        this.appender = appender;
    }

    @Override
    public void append(UpdateToAppend update) {
        appender.append(
                update.tenant(),
                update.executionId(),
                WriterKind.WRITER_KIND_WORKFLOW,
                update.requestId(),
                updateOf(update));
    }

    private static Update updateOf(UpdateToAppend update) {
        Update.Builder said = Update.newBuilder();
        if (update.recovered()) {
            said.setRecovered(Recovered.newBuilder().setReason(update.reason()));
        } else if (!update.pageUrl().isEmpty()) {
            said.setExecutionPatched(ExecutionPatched.newBuilder().putContext(PAGE_URL, update.pageUrl()));
        } else {
            said.setPhaseChanged(phaseChanged(update));
        }
        return said.build();
    }

    private static PhaseChanged.Builder phaseChanged(UpdateToAppend update) {
        PhaseChanged.Builder changed = PhaseChanged.newBuilder()
                .setPhase(Phase.valueOf("PHASE_" + update.phase()))
                .setReason(cut(update.reason(), 256));
        FailureDetail failure = update.failure();
        return failure.code().isEmpty() ? changed : changed.setFailure(failureOf(failure));
    }

    /** A failure as the contract takes it. */
    public static Failure failureOf(FailureDetail failure) {
        return Failure.newBuilder()
                .setCode(cut(failure.code(), 64))
                .setMessage(cut(failure.message(), 4096))
                .setRetryable(failure.retryable())
                .build();
    }

    private static String cut(String text, int characters) {
        return text.codePointCount(0, text.length()) <= characters
                ? text
                : text.substring(0, text.offsetByCodePoints(0, characters));
    }
}
