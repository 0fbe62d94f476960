package dev.runcast.api.control;

import dev.runcast.api.control.ExecutionControl.Asked;
import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ExecutionStore;
import dev.runcast.v1.Change;
import dev.runcast.v1.CreateExecutionRequest;
import dev.runcast.v1.CreateExecutionResponse;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Update;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.function.Tuple2;

/**
 * Declares executions. Thread-safe.
 *
 * <p>How it is decided who created one: an id belongs to the request whose {@code Declared} set the spec, which is the
 * one change that carries it. The same request again finds that change and gets the same answer; everybody else gets
 * ALREADY_EXISTS (AIP-133) with the name of the request that has it. What is stored already is not asked of the merge
 * at all, so that nothing of a second request comes into the history.
 */
public final class ExecutionCreation {
    private static final Duration LOOK_EVERY = Duration.ofMillis(50);

    private final Requests requests;
    private final ExecutionStore store;
    private final Duration storeTimeout;
    private final Duration patience;

    /**
     * Creates through {@code requests}.
     *
     * @param storeTimeout how long an answer of the store may take
     * @param patience the longest that a call takes
     */
    public ExecutionCreation(Requests requests, ExecutionStore store, Duration storeTimeout, Duration patience) {
        this.requests = requests;
        this.store = store;
        this.storeTimeout = storeTimeout;
        this.patience = patience;
    }

    /**
     * CreateExecution. Answers when what it created can also be read, or, when the store is away or slow, with what the
     * merge said.
     */
    public Mono<CreateExecutionResponse> create(Principal principal, CreateExecutionRequest request) {
        return Mono.defer(() -> {
            Contract.check(request);
            String requestId =
                    request.getRequestId().isEmpty() ? UUID.randomUUID().toString() : request.getRequestId();
            String executionId = request.getExecutionId().isEmpty() ? requestId : request.getExecutionId();
            Asked asked = Asked.of(principal, executionId, requestId);
            Declared declared = Declared.newBuilder()
                    .setSpec(spec(asked.key(), request))
                    .putAllLabels(request.getLabelsMap())
                    .build();
            Contract.check(declared);
            return store.execution(asked.key())
                    .timeout(storeTimeout)
                    .onErrorMap(failure -> Failures.of(Reason.STORE_UNAVAILABLE, "the store does not answer", failure))
                    .map(Optional::of)
                    .defaultIfEmpty(Optional.empty())
                    .flatMap(stored -> stored.isPresent() ? again(asked, declared) : first(asked, declared));
        });
    }

    private static ExecutionSpec spec(ExecutionKey key, CreateExecutionRequest request) {
        ExecutionSpec spec = request.getSpec();
        if (spec.getAgent().isEmpty()) {
            throw Failures.value(Reason.INVALID, "spec.agent", "\"\"", "the name of the agent that is to run");
        }
        String workflowId = request.getWithoutWorkflow() ? "" : workflowId(key);
        if (!spec.getWorkflowId().isEmpty() && !spec.getWorkflowId().equals(workflowId)) {
            throw Failures.value(
                    Reason.INVALID,
                    "spec.workflow_id",
                    '"' + spec.getWorkflowId() + '"',
                    "none: it follows from tenant and execution"
                            + (workflowId.isEmpty() ? ", and without_workflow" : ""));
        }
        return spec.toBuilder().setWorkflowId(workflowId).build();
    }

    /** The name of the workflow that runs an execution, as the contract has it. */
    static String workflowId(ExecutionKey key) {
        return "agent-execution/%s/%s".formatted(key.tenant(), key.executionId());
    }

    private Mono<CreateExecutionResponse> first(Asked asked, Declared declared) {
        Update update = Update.newBuilder().setDeclared(declared).build();
        return requests.ask(asked.key(), asked.principal(), asked.requestId(), update)
                .elapsed()
                .flatMap(answer -> readable(asked.key(), answer).thenReturn(answer.getT2()))
                .flatMap(change -> created(asked, declared, change));
    }

    /** The execution is there: either by this request, or by another. */
    private Mono<CreateExecutionResponse> again(Asked asked, Declared declared) {
        return requests.stored(asked.key(), asked.requestId())
                .flatMap(change -> created(asked, declared, change))
                .switchIfEmpty(Mono.defer(() -> taken(asked)));
    }

    private Mono<CreateExecutionResponse> created(Asked asked, Declared declared, Change change) {
        if (change.getRequestOutcome().getRefusedValue() != 0
                || !change.getExecution().hasSpec()) {
            return taken(asked);
        }
        if (!change.getExecution().getSpec().equals(declared.getSpec())) {
            return Mono.error(asked.usedBefore("an execution with another spec"));
        }
        return Mono.just(CreateExecutionResponse.newBuilder()
                .setExecution(change.getExecution())
                .setRequestId(asked.requestId())
                .build());
    }

    /** Whoever creates something reads it next (AIP-121). The merge's answer is up to a commit ahead of the store. */
    private Mono<Execution> readable(ExecutionKey key, Tuple2<Long, Change> answer) {
        Duration left = patience.minusMillis(answer.getT1());
        return left.isNegative()
                ? Mono.empty()
                : Flux.interval(Duration.ZERO, LOOK_EVERY)
                        .onBackpressureDrop()
                        .concatMap(
                                tick -> store.execution(key)
                                        .timeout(storeTimeout)
                                        .onErrorResume(away -> Mono.empty()),
                                1)
                        .filter(stored -> stored.getVersion() >= answer.getT2().getVersion())
                        .next()
                        .timeout(left, Mono.empty());
    }

    private Mono<CreateExecutionResponse> taken(Asked asked) {
        return store.changes(asked.key(), 0, 1)
                .next()
                .timeout(storeTimeout)
                .onErrorResume(away -> Mono.empty())
                .defaultIfEmpty(Change.getDefaultInstance())
                .flatMap(begin -> Mono.error(alreadyExists(asked, begin)));
    }

    private static DoorException alreadyExists(Asked asked, Change begin) {
        Map<String, String> metadata = new HashMap<>();
        metadata.put("execution_id", asked.key().executionId());
        metadata.put("request_id", asked.requestId());
        String by = begin.getCause().getPrincipal();
        if (begin.getCause().hasRequestId()) {
            metadata.put("winner_request_id", begin.getCause().getRequestId());
        }
        if (!by.isEmpty()) {
            metadata.put("winner", by);
        }
        return Failures.of(
                Reason.ALREADY_EXISTS,
                "execution_id: %s is taken%s%s (expected: a new id, or the request_id that created it)"
                        .formatted(
                                asked.key().executionId(),
                                by.isEmpty() ? "" : " by " + by,
                                begin.getCause().hasRequestId()
                                        ? ", request " + begin.getCause().getRequestId()
                                        : ""),
                metadata);
    }
}
