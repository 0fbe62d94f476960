package dev.runcast.api.control;

import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.CancelExecutionRequest;
import dev.runcast.v1.CancelExecutionResponse;
import dev.runcast.v1.Change;
import dev.runcast.v1.Control;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.DecideApprovalRequest;
import dev.runcast.v1.DecideApprovalResponse;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Execution;
import dev.runcast.v1.PauseExecutionRequest;
import dev.runcast.v1.PauseExecutionResponse;
import dev.runcast.v1.RecoverExecutionRequest;
import dev.runcast.v1.RecoverExecutionResponse;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.RequestOutcome;
import dev.runcast.v1.ResumeExecutionRequest;
import dev.runcast.v1.ResumeExecutionResponse;
import dev.runcast.v1.Update;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import reactor.core.publisher.Mono;

/**
 * Asks something of an execution that is there: to end, to hold, to go on, or to take a person's decision. Every answer
 * fails with a {@link DoorException}; one that the merge refused names the phase the execution is in. Thread-safe.
 */
public final class ExecutionControl {
    /** The merge refuses everything from 24 hours after the end on, and forgets that it ended later; an hour for clocks. */
    private static final Duration CLOSED_AFTER = Duration.ofHours(25);

    private final Requests requests;
    private final ExecutionStore store;
    private final Duration storeTimeout;
    private final InstantSource clock;

    /** Asks through {@code requests} about what is in {@code store}, whose answer may take so long. */
    public ExecutionControl(Requests requests, ExecutionStore store, Duration storeTimeout, InstantSource clock) {
        this.requests = requests;
        this.store = store;
        this.storeTimeout = storeTimeout;
        this.clock = clock;
    }

    /** CancelExecution. */
    public Mono<CancelExecutionResponse> cancel(Principal principal, CancelExecutionRequest request) {
        return Mono.defer(() -> {
            Contract.check(request);
            Asked asked = Asked.of(principal, request.getExecutionId(), request.getRequestId());
            return control(asked, Control.CONTROL_CANCEL, request.getReason())
                    .map(change -> CancelExecutionResponse.newBuilder()
                            .setPhase(change.getRequestOutcome().getPhase())
                            .setVersion(change.getVersion())
                            .setRequestId(asked.requestId)
                            .build());
        });
    }

    /** PauseExecution. */
    public Mono<PauseExecutionResponse> pause(Principal principal, PauseExecutionRequest request) {
        return Mono.defer(() -> {
            Contract.check(request);
            Asked asked = Asked.of(principal, request.getExecutionId(), request.getRequestId());
            return control(asked, Control.CONTROL_PAUSE, request.getReason())
                    .map(change -> PauseExecutionResponse.newBuilder()
                            .setPhase(change.getRequestOutcome().getPhase())
                            .setVersion(change.getVersion())
                            .setRequestId(asked.requestId)
                            .build());
        });
    }

    /** ResumeExecution. */
    public Mono<ResumeExecutionResponse> resume(Principal principal, ResumeExecutionRequest request) {
        return Mono.defer(() -> {
            Contract.check(request);
            Asked asked = Asked.of(principal, request.getExecutionId(), request.getRequestId());
            return control(asked, Control.CONTROL_RESUME, request.getReason())
                    .map(change -> ResumeExecutionResponse.newBuilder()
                            .setPhase(change.getRequestOutcome().getPhase())
                            .setVersion(change.getVersion())
                            .setRequestId(asked.requestId)
                            .build());
        });
    }

    /** RecoverExecution. */
    public Mono<RecoverExecutionResponse> recover(Principal principal, RecoverExecutionRequest request) {
        return Mono.defer(() -> {
            Contract.check(request);
            Asked asked = Asked.of(principal, request.getExecutionId(), request.getRequestId());
            return control(asked, Control.CONTROL_RECOVER, request.getReason())
                    .map(change -> RecoverExecutionResponse.newBuilder()
                            .setPhase(change.getRequestOutcome().getPhase())
                            .setVersion(change.getVersion())
                            .setRequestId(asked.requestId)
                            .build());
        });
    }

    /** DecideApproval. Who comes second is answered too: with the decision that holds. */
    public Mono<DecideApprovalResponse> decide(Principal principal, DecideApprovalRequest request) {
        return Mono.defer(() -> {
            Contract.check(request);
            ApprovalDecided decided = request.getDecided();
            requireArgumentsWithEdit(decided);
            Asked asked = Asked.of(principal, request.getExecutionId(), request.getRequestId());
            return ask(asked, Update.newBuilder().setApprovalDecided(decided).build())
                    .map(change -> decision(asked, decided, change));
        });
    }

    private static void requireArgumentsWithEdit(ApprovalDecided decided) {
        boolean edits = decided.getDecision() == Decision.DECISION_EDIT;
        if (edits != decided.hasArguments()) {
            throw Failures.value(
                    Reason.INVALID,
                    "decided.arguments",
                    edits ? "not given" : "given",
                    edits ? "the changed arguments, with EDIT" : "none, except with EDIT");
        }
    }

    private static DecideApprovalResponse decision(Asked asked, ApprovalDecided decided, Change change) {
        RequestOutcome outcome = change.getRequestOutcome();
        boolean won = outcome.getRefusedValue() == 0;
        boolean lost = outcome.getRefused() == RejectionReason.REJECTION_REASON_ALREADY_DECIDED;
        if (won && !isThisDecision(decided, change)) {
            throw asked.usedBefore("another decision or request");
        }
        if (!won && !lost) {
            throw asked.refused(change);
        }
        return DecideApprovalResponse.newBuilder()
                .setWon(won)
                .setDecision(outcome.getDecision())
                .setDecidedBy(outcome.getDecidedBy())
                .setVersion(change.getVersion())
                .setRequestId(asked.requestId)
                .build();
    }

    private static boolean isThisDecision(ApprovalDecided decided, Change change) {
        return change.getRequestOutcome().getDecision() == decided.getDecision()
                && change.getEntriesList().stream()
                        .anyMatch(entry -> entry.getEntryId().equals(decided.getEntryId()));
    }

    private Mono<Change> control(Asked asked, Control control, String reason) {
        Update update = Update.newBuilder()
                .setControlRequested(
                        ControlRequested.newBuilder().setControl(control).setReason(reason))
                .build();
        return ask(asked, update).map(change -> {
            RequestOutcome outcome = change.getRequestOutcome();
            if (outcome.getControl() != control) {
                throw asked.usedBefore(
                        outcome.getControlValue() == 0
                                ? "another request"
                                : outcome.getControl().name().replaceFirst("^CONTROL_", ""));
            }
            if (outcome.getRefusedValue() != 0) {
                throw asked.refused(change);
            }
            return change;
        });
    }

    /**
     * What is not stored is not asked: the merge would begin an execution with the request. Nor what ended long ago,
     * which the merge may have forgotten.
     */
    private Mono<Change> ask(Asked asked, Update update) {
        return store.execution(asked.key)
                .timeout(storeTimeout)
                .onErrorMap(failure -> Failures.of(Reason.STORE_UNAVAILABLE, "the store does not answer", failure))
                .switchIfEmpty(Mono.error(() -> Failures.noExecution(asked.key.executionId())))
                .flatMap(execution -> isClosed(execution)
                        ? requests.stored(asked.key, asked.requestId)
                                .switchIfEmpty(Mono.error(() -> asked.closed(execution)))
                        : requests.ask(asked.key, asked.principal, asked.requestId, update));
    }

    private boolean isClosed(Execution execution) {
        return execution.hasEndedAt()
                && Instant.ofEpochSecond(execution.getEndedAt().getSeconds())
                        .plus(CLOSED_AFTER)
                        .isBefore(clock.instant());
    }

    /** One request: who asks what it is called. */
    record Asked(Principal principal, ExecutionKey key, String requestId) {
        /** @param requestId empty to have one made */
        static Asked of(Principal principal, String executionId, String requestId) {
            return new Asked(
                    principal,
                    new ExecutionKey(principal.tenant(), executionId),
                    requestId.isEmpty() ? UUID.randomUUID().toString() : requestId);
        }

        /** The merge said no. */
        DoorException refused(Change change) {
            RequestOutcome outcome = change.getRequestOutcome();
            Map<String, String> metadata = new HashMap<>(names());
            metadata.put("phase", outcome.getPhase().name());
            metadata.put("version", Long.toString(change.getVersion()));
            return Failures.of(Reason.of(outcome.getRefused()), outcome.getMessage(), metadata);
        }

        DoorException closed(Execution execution) {
            Map<String, String> metadata = new HashMap<>(names());
            metadata.put("phase", execution.getPhase().name());
            metadata.put("version", Long.toString(execution.getVersion()));
            return Failures.of(
                    Reason.CLOSED,
                    "execution_id: %s ended more than 24 hours ago (expected: one that has not, or not for so long)"
                            .formatted(key.executionId()),
                    metadata);
        }

        /** The request id is taken. */
        DoorException usedBefore(String by) {
            return Failures.value(
                    Reason.INVALID,
                    "request_id",
                    requestId,
                    "one that this execution has not seen; this one was used for " + by);
        }

        private Map<String, String> names() {
            return Map.of("request_id", requestId, "execution_id", key.executionId());
        }
    }
}
