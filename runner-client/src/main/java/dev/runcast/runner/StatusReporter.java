package dev.runcast.runner;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reports what agents do to Runcast, off their threads. Open one for a process and keep it; it takes any number of
 * executions over one stream.
 *
 * <pre>{@code
 * try (StatusReporter reporter = StatusReporter.open(ReporterConfig.of("localhost:8080"))) {
 *     ExecutionReporter execution = reporter.execution("run-1", System.currentTimeMillis());
 *     execution.running();
 *     execution.messageStarted("m1", Role.ROLE_AI);
 *     execution.appendText("m1", "Hello");
 *     execution.messageCompleted("m1");
 *     execution.completed();
 * }
 * }</pre>
 *
 * <p>Reporting never blocks and never throws. What cannot be sent waits, within a bound of memory; beyond it content is
 * left out, the oldest first, and the history says so. The terminal phase is never left out. Only {@link #flush} and
 * {@link #close} wait, as long as they are told. Thread-safe.
 */
public final class StatusReporter implements AutoCloseable {
    private static final Logger logger = LoggerFactory.getLogger(StatusReporter.class);

    /** Executions that are over and whose sequences are still known, should somebody report late. */
    private static final int REMEMBERED = 1024;

    /** What a waiting thread allows the sender beyond a deadline to say what is missing. */
    private static final Duration GRACE = Duration.ofSeconds(2);

    /** What the stream gets to end in order. */
    private static final Duration STREAM_END = Duration.ofMillis(500);

    private final ReporterConfig config;
    private final Counters counters = new Counters();
    private final MemoryBudget budget;
    private final MemoryBudget sequenced;
    private final SenderThread thread = new SenderThread();
    private final Mailbox mailbox = thread.mailbox();
    private final ThreadPoolExecutor callbackThreads;
    private final Transport transport;
    private final Sender sender;
    private final Runnable meters;
    private final boolean degraded;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicBoolean warned = new AtomicBoolean();
    /** Changed under its own lock, read without. */
    private final Map<StreamKey, ExecutionReporter> executions = new ConcurrentHashMap<>();

    private final Map<StreamKey, ExecutionReporter> remembered = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<StreamKey, ExecutionReporter> eldest) {
            return size() > REMEMBERED;
        }
    };

    private StatusReporter(ReporterConfig config, ReporterListener listener) {
        this(config, listener, new GrpcTransport(config));
    }

    StatusReporter(ReporterConfig config, ReporterListener listener, Transport transport) {
        this.config = config;
        this.budget = new MemoryBudget(config.memoryBytes());
        this.sequenced = new MemoryBudget(config.memoryBytes() / 2);
        this.transport = transport;
        // A thread for each callback that runs, so that a slow one blocks no other; at most one for each execution.
        this.callbackThreads = new ThreadPoolExecutor(
                0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), StatusReporter::callbackThread);
        this.sender = new Sender(
                config,
                transport,
                mailbox,
                budget,
                sequenced,
                counters,
                listener,
                new Callbacks(callbackThreads, counters),
                this::retire,
                key -> opened(key).outbox(),
                new Random());
        MeterRegistry registry = config.meters();
        this.meters = registry == null ? () -> {} : new ReporterMeters(registry, counters, this::stats)::close;
        this.degraded = !started();
    }

    /** Opens a reporter and returns at once; whether anybody listens at the target is found out later. */
    public static StatusReporter open(ReporterConfig config) {
        return open(config, ReporterListener.NONE);
    }

    /** The same, and tells the listener how the connection fares. */
    public static StatusReporter open(ReporterConfig config, ReporterListener listener) {
        return new StatusReporter(config, listener);
    }

    /** Reports an execution as its only writer. The epoch is the attempt's begin in milliseconds since 1970. */
    public ExecutionReporter execution(String executionId, long epoch) {
        return execution(executionId, epoch, "");
    }

    /**
     * Reports an execution as one of several writers of an attempt. The same arguments give the same reporter. An
     * invalid id, name or epoch throws nothing: the reporter takes all calls and sends none, which is logged once and
     * counted in {@link ReporterStats#ignored()}.
     */
    public ExecutionReporter execution(String executionId, long epoch, String writerName) {
        ExecutionReporter execution =
                opened(new StreamKey(String.valueOf(executionId), String.valueOf(writerName), epoch));
        execution.outbox().claimed = true;
        return execution;
    }

    private ExecutionReporter opened(StreamKey key) {
        ExecutionReporter open = executions.get(key);
        if (open != null) {
            return open;
        }
        synchronized (executions) {
            ExecutionReporter known = executions.get(key);
            if (known == null) {
                known = remembered.remove(key);
                if (known == null) {
                    known = create(key);
                }
                executions.put(key, known);
            }
            return known;
        }
    }

    /**
     * Begins an attempt and asks how it stands; see {@link ExecutionReporter#attach}. Then report it through
     * {@link #execution(String, long)} with the same arguments.
     */
    public CompletionStage<AttemptStanding> attach(String executionId, long epoch) {
        return execution(executionId, epoch).attach("", "");
    }

    /** {@link #flush(Duration)} with the configured deadline. */
    public FlushResult flush() {
        return flush(config.flushTimeout());
    }

    /**
     * Sends everything reported so far without regard to the cadence, and waits until it is durable or the time is up.
     * When the thread is interrupted it returns early with its interrupt flag set.
     */
    public FlushResult flush(Duration timeout) {
        if (degraded || !thread.running()) {
            return unsent();
        }
        CompletableFuture<FlushResult> result = new CompletableFuture<>();
        long until = thread.now() + Math.max(0, timeout.toNanos());
        List<Outbox> all = outboxes();
        mailbox.post(() -> sender.flush(all, until, result));
        try {
            return result.get(timeout.plus(GRACE).toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return unsent();
        } catch (ExecutionException | TimeoutException failed) {
            logger.warn("The sender did not answer a flush", failed);
            return unsent();
        }
    }

    /** {@link #close(Duration)} with the configured deadline. */
    @Override
    public void close() {
        close(config.closeTimeout());
    }

    /**
     * Takes no more reports, waits until everything is durable or the time is up, and lets go of thread and stream. What
     * the result names as missing is lost with this process, unless it says that it is spooled: then it is on disk, and
     * the next reporter with the same spool sends it. Calls after it are counted and do nothing, this one included: it
     * answers for what is still missing.
     */
    public FlushResult close(Duration timeout) {
        if (closed.getAndSet(true)) {
            return unsent();
        }
        for (Outbox outbox : outboxes()) {
            outbox.inbox.settleHalves();
            mailbox.look(outbox);
        }
        FlushResult flushed = flush(timeout);
        thread.stop(
                () -> {
                    sender.stop();
                    transport.close(STREAM_END);
                },
                GRACE);
        callbackThreads.shutdown();
        meters.run();
        FlushResult result = flushed.complete() ? flushed : unsent();
        if (!result.kept()) {
            logger.warn("Closed with updates that are not durable: {}", result.missing());
        } else if (!result.complete()) {
            logger.info("Closed with updates that are spooled and not durable yet: {}", result.missing());
        }
        return result;
    }

    /** What it has done so far. */
    public ReporterStats stats() {
        long waiting = 0;
        for (Outbox outbox : outboxes()) {
            waiting += outbox.inbox.waiting();
        }
        int reporting;
        synchronized (executions) {
            reporting = executions.size();
        }
        return counters.stats(sender.connected(), reporting, waiting, budget.used());
    }

    private ExecutionReporter create(StreamKey key) {
        Callbacks callbacks = new Callbacks(callbackThreads, counters);
        SignalLevel level = new SignalLevel(callbacks);
        Outbox outbox = new Outbox(key, level, budget, sequenced, counters, config.clock());
        String flaw = key.flaw();
        if (!flaw.isEmpty()) {
            logger.error("Nothing will be reported: {}", flaw);
        }
        boolean valid = flaw.isEmpty();
        Reporting reporting = new Reporting(outbox, mailbox, budget, counters, config.clock(), () -> valid && isOpen());
        return new ExecutionReporter(outbox, mailbox, reporting);
    }

    private boolean isOpen() {
        if (!closed.get()) {
            return true;
        }
        if (warned.compareAndSet(false, true)) {
            logger.warn("Something was reported after the reporter was closed; it is only counted");
        }
        return false;
    }

    private void retire(StreamKey key) {
        synchronized (executions) {
            ExecutionReporter execution = executions.remove(key);
            if (execution != null) {
                remembered.put(key, execution);
            }
        }
    }

    private boolean started() {
        try {
            thread.start(sender);
            return true;
        } catch (Throwable thrown) {
            // No thread to be had: the agent still runs, and its reports are counted and left out.
            logger.error("The reporter cannot start; nothing will be sent", thrown);
            return false;
        }
    }

    /** What is missing as far as can be seen without the sender. */
    private FlushResult unsent() {
        return FlushResult.of(outboxes().stream()
                .map(Outbox::missing)
                .filter(missing -> missing.updates() > 0)
                .toList());
    }

    private List<Outbox> outboxes() {
        synchronized (executions) {
            return Stream.concat(executions.values().stream(), remembered.values().stream())
                    .map(ExecutionReporter::outbox)
                    .toList();
        }
    }

    private static Thread callbackThread(Runnable callback) {
        Thread thread = new Thread(callback, "runcast-callback");
        thread.setDaemon(true);
        return thread;
    }
}
