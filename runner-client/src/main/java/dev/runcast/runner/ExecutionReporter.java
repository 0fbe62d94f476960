package dev.runcast.runner;

import dev.runcast.v1.Declared;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Progress;
import dev.runcast.v1.Update;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletionStage;

/**
 * Reports one attempt of one execution. Got from {@link StatusReporter#execution}; every call returns at once, throws
 * nothing and may come from any thread.
 */
public final class ExecutionReporter extends EntryReporter {
    private final Outbox outbox;
    private final Mailbox mailbox;

    ExecutionReporter(Outbox outbox, Mailbox mailbox, Reporting reporting) {
        super(reporting, "");
        this.outbox = outbox;
        this.mailbox = mailbox;
    }

    /** The execution's id. */
    public String executionId() {
        return outbox.key.executionId();
    }

    /** The writer's name; empty for the only one. */
    public String writerName() {
        return outbox.key.writerName();
    }

    /** The attempt, in milliseconds since 1970. */
    public long epoch() {
        return outbox.key.epoch();
    }

    /** Says that the execution exists and what was asked for. */
    public void declared(ExecutionSpec spec) {
        declared(spec, Map.of());
    }

    /** The same with first labels. An input beyond the contract's 128 KiB is cut and counted. */
    public void declared(ExecutionSpec spec, Map<String, String> labels) {
        reporting()
                .report(update -> update.setDeclared(Declared.newBuilder()
                        .setSpec(spec.toBuilder().setInput(reporting().input(spec.getInput())))
                        .putAllLabels(labels)));
    }

    /** An attempt begins. The worker is where it runs, the build what it runs; empty when not known. */
    public void attemptStarted(String worker, String build) {
        reporting().report(update -> update.getAttemptStartedBuilder()
                .setWorker(reporting().name(worker))
                .setBuild(reporting().cut(build, 128)));
    }

    /**
     * Begins the attempt and asks how it stands: wait for the answer before running the agent when this is not the
     * first attempt. The stage completes on a callback thread, and never with an exception; give it a timeout, since a
     * pipeline that is down does not answer.
     */
    public CompletionStage<AttemptStanding> attach(String worker, String build) {
        attemptStarted(worker, build);
        return outbox.level.known();
    }

    /** Tells the listener of what is known by now and of every change. */
    public void listen(SignalListener listener) {
        reporting().guarded(() -> {
            Objects.requireNonNull(listener);
            mailbox.post(() -> outbox.level.listen(listener));
            mailbox.look(outbox);
        });
    }

    /** Whether somebody has asked for the end of the run. */
    public boolean cancelRequested() {
        return outbox.level.cancelRequested();
    }

    /** Whether somebody has asked to hold the run. */
    public boolean paused() {
        return outbox.level.paused();
    }

    /** The run goes on. */
    public void running() {
        phase(Phase.PHASE_RUNNING, "");
    }

    /** The agent finished. The first terminal phase is never left out. */
    public void completed() {
        phase(Phase.PHASE_COMPLETED, "");
    }

    /** The agent failed. */
    public void failed(String code, String message, boolean retryable) {
        reporting().report(update -> update.getPhaseChangedBuilder()
                .setPhase(Phase.PHASE_FAILED)
                .setFailure(reporting().failure(code, message, retryable)));
    }

    /** The agent failed. */
    public void failed(Failure failure) {
        failed(failure.getCode(), failure.getMessage(), failure.getRetryable());
    }

    /** The run ended because somebody asked for it. */
    public void cancelled(String reason) {
        phase(Phase.PHASE_CANCELLED, reason);
    }

    /** Any phase that a writer may say, and why; the reason may be empty. */
    public void phase(Phase phase, String reason) {
        reporting().report(update -> update.getPhaseChangedBuilder()
                .setPhase(phase)
                .setReason(reporting().cut(reason, Limits.REASON_CHARACTERS)));
    }

    /** How far the run is: 0 to 100. */
    public void progress(int percent, String message) {
        patch(ExecutionPatched.newBuilder()
                .setProgress(Progress.newBuilder()
                        .setPercent(Math.max(0, Math.min(100, percent)))
                        .setMessage(message))
                .build());
    }

    /** Sets labels. */
    public void labels(Map<String, String> labels) {
        patch(ExecutionPatched.newBuilder().putAllLabels(labels).build());
    }

    /** Sets context for whoever goes on with the run. */
    public void context(Map<String, String> context) {
        patch(ExecutionPatched.newBuilder().putAllContext(context).build());
    }

    /** Any patch of the execution. */
    public void patch(ExecutionPatched patch) {
        reporting().report(update -> update.setExecutionPatched(patch));
    }

    /** The caller left updates out: says so in the history. Count: 1 or greater. */
    public void omitted(long count, String reason) {
        reporting()
                .report(update -> update.setOmitted(Omitted.newBuilder()
                        .setCount(Math.max(1, count))
                        .setReason(reporting().cut(reason, Limits.REASON_CHARACTERS))));
    }

    /** Any update, as it is; the caller answers for its offsets and limits. */
    public void update(Update update) {
        reporting().report(update);
    }

    /** W3C Trace Context of the steps that are reported from now on; empty for none. */
    public void traceparent(String traceparent) {
        reporting().guarded(() -> outbox.inbox.traceparent(Utf8.firstCharacters(traceparent, 128)));
    }

    /**
     * Nothing more will be reported here: no more heartbeats. What was reported is still sent. Not needed after a
     * terminal phase.
     */
    public void release() {
        outbox.released = true;
    }

    Outbox outbox() {
        return outbox;
    }

    @Override
    public String toString() {
        return outbox.key.toString();
    }
}
