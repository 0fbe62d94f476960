package dev.runcast.worker.bridge;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Failure;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.Update;
import dev.runcast.v1.WriterKind;
import dev.runcast.worker.supervise.UpdateAppender;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.listener.BatchMessageListener;

/**
 * From the change feed to Temporal. Reads what is there, committed or not: the merge is deterministic, so a change of an
 * aborted transaction comes again with the same version, and its errand is done by then. A poll is done when all of its
 * errands are; until then it is tried again, for ever while Temporal does not answer. What is done twice has no effect:
 * a workflow's id starts once, and news carry their version.
 */
final class Bridge implements BatchMessageListener<byte[], byte[]> {
    private static final Logger LOG = LoggerFactory.getLogger(Bridge.class);

    private final Workflows workflows;
    private final LiveExecutions live;
    private final UpdateAppender appender;
    private final Executor callers;
    private final Duration lateAfter;
    private final InstantSource clock;
    private final AtomicBoolean silent = new AtomicBoolean();

    /** What there is to do for one execution, and when the first of it was written. */
    private record Errands(long since, List<Errand> list) {}

    Bridge(
            Workflows workflows,
            LiveExecutions live,
            UpdateAppender appender,
            Executor callers,
            Duration lateAfter,
            InstantSource clock) {
        this.workflows = workflows;
        this.live = live;
        this.appender = appender;
        this.callers = callers;
        this.lateAfter = lateAfter;
        this.clock = clock;
    }

    @Override
    public void onMessage(List<ConsumerRecord<byte[], byte[]>> records) {
        Map<ExecutionKey, Errands> errands = new LinkedHashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : records) {
            if (RecordCodec.CHANGES.decode(record.key(), record.value()) instanceof Decoded.Value<ChangeBatch> read) {
                take(record, read.value(), errands);
            }
            // What cannot be read the sink keeps as a dead letter.
        }
        if (!errands.isEmpty()) {
            run(errands.values());
        }
    }

    private void take(ConsumerRecord<byte[], byte[]> record, ChangeBatch batch, Map<ExecutionKey, Errands> errands) {
        ExecutionKey key = RecordCodec.CHANGES.keyOf(batch);
        for (Change change : batch.getChangesList()) {
            Errand.of(key, change)
                    .filter(errand -> isNeeded(errand, record.timestamp()))
                    .ifPresent(errand -> errands.computeIfAbsent(
                                    key, unused -> new Errands(record.timestamp(), new ArrayList<>()))
                            .list()
                            .add(errand));
            live.reached(key, change.getVersion());
        }
    }

    private boolean isNeeded(Errand errand, long timestamp) {
        if (errand instanceof Errand.Start start) {
            if (clock.millis() - timestamp > lateAfter.toMillis()) {
                // Temporal may have forgotten that it ran; whether it has ended since, the table knows.
                if (!live.isComplete()) {
                    throw new IllegalStateException("the table of executions has not been read to its end yet");
                }
                return live.isLive(errand.key());
            }
            live.begins(errand.key(), errand.version(), start.execution().getEpoch());
            return true;
        }
        if (errand instanceof Errand.Tell tell) {
            if (tell.news().recovered()) {
                live.begins(errand.key(), errand.version(), tell.news().epoch());
            }
            return live.mayHaveWorkflow(errand.key());
        }
        return true;
    }

    /**
     * Each execution's in order, different ones at the same time; the first failure ends it, and all is tried again. Who
     * came first begins first: a poll has one partition behind the other.
     */
    private void run(Collection<Errands> errands) {
        AtomicBoolean failed = new AtomicBoolean();
        List<CompletableFuture<Void>> running = errands.stream()
                .sorted(Comparator.comparingLong(Errands::since))
                .map(each -> CompletableFuture.runAsync(
                        () -> {
                            for (Errand errand : each.list()) {
                                if (failed.get()) {
                                    return;
                                }
                                try {
                                    run(errand);
                                } catch (RuntimeException e) {
                                    failed.set(true);
                                    throw e;
                                }
                            }
                        },
                        callers))
                .toList();
        try {
            CompletableFuture.allOf(running.toArray(CompletableFuture[]::new)).join();
            if (silent.compareAndSet(true, false)) {
                LOG.info("Temporal answers again");
            }
        } catch (CompletionException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            if (silent.compareAndSet(false, true)) {
                LOG.warn("Temporal does not answer; it is asked again until it does: {}", cause.toString());
            }
            throw new IllegalStateException("Temporal: " + cause, cause);
        }
    }

    private void run(Errand errand) {
        try {
            if (errand instanceof Errand.Start start) {
                workflows.start(start);
            } else if (errand instanceof Errand.Recover recover) {
                workflows.recover(recover);
            } else if (errand instanceof Errand.Tell tell) {
                workflows.tell(tell);
            }
        } catch (RuntimeException e) {
            Status.Code code = code(e);
            if (code != Status.Code.INVALID_ARGUMENT && code != Status.Code.FAILED_PRECONDITION) {
                throw e;
            }
            refused(errand, e);
        }
    }

    /** Temporal will never take it: that is the end of the run, said as such, and not of the feed. */
    private void refused(Errand errand, RuntimeException refusal) {
        LOG.error(
                "Temporal refuses {} of {} at version {}",
                errand.getClass().getSimpleName(),
                errand.key(),
                errand.version(),
                refusal);
        if (errand instanceof Errand.Tell) {
            return;
        }
        String said = String.valueOf(
                refusal.getCause() == null
                        ? refusal.getMessage()
                        : refusal.getCause().getMessage());
        appender.append(
                errand.key().tenant(),
                errand.key().executionId(),
                WriterKind.WRITER_KIND_SYSTEM,
                "start-refused-" + errand.version(),
                Update.newBuilder()
                        .setPhaseChanged(PhaseChanged.newBuilder()
                                .setPhase(Phase.PHASE_FAILED)
                                .setFailure(Failure.newBuilder()
                                        .setCode("START_REFUSED")
                                        .setMessage("Temporal does not start the workflow: "
                                                + said.substring(0, Math.min(said.length(), 1000)))))
                        .build());
    }

    private static Status.@Nullable Code code(Throwable thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof StatusRuntimeException said) {
                return said.getStatus().getCode();
            }
        }
        return null;
    }
}
