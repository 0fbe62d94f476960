package dev.runcast.worker;

import io.temporal.client.WorkflowClient;
import io.temporal.worker.Worker;
import io.temporal.worker.WorkerFactory;
import io.temporal.worker.WorkerOptions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * The workers of this process. They begin when Temporal answers: until then it is asked again, since a service that
 * cannot start without its server comes up in one order only. Thread-safe.
 */
final class TemporalWorkers implements SmartLifecycle {
    private static final Logger LOG = LoggerFactory.getLogger(TemporalWorkers.class);
    private static final Duration MAX_RETRY = Duration.ofSeconds(5);

    /**
     * What works on one task queue.
     *
     * @param register says which workflows and activities
     */
    record Queue(String name, WorkerOptions options, Consumer<Worker> register) {}

    private final WorkflowClient client;
    private final List<Queue> queues;
    private final Duration stopTimeout;
    private @Nullable WorkerFactory factory;
    private @Nullable Thread starter;
    private volatile boolean working;

    TemporalWorkers(WorkflowClient client, List<Queue> queues, Duration stopTimeout) {
        this.client = client;
        this.queues = List.copyOf(queues);
        this.stopTimeout = stopTimeout;
    }

    @Override
    public synchronized void start() {
        if (starter == null) {
            Thread thread = new Thread(this::startWhenTemporalAnswers, "runcast-temporal-start");
            thread.setDaemon(true);
            starter = thread;
            thread.start();
        }
    }

    private void startWhenTemporalAnswers() {
        long wait = 200;
        boolean said = false;
        while (!Thread.currentThread().isInterrupted()) {
            // A factory that could not start is of no more use.
            WorkerFactory starting = WorkerFactory.newInstance(client);
            for (Queue queue : queues) {
                queue.register().accept(starting.newWorker(queue.name(), queue.options()));
            }
            try {
                starting.start();
                synchronized (this) {
                    factory = starting;
                    working = true;
                }
                LOG.info("Works on {}", queues.stream().map(Queue::name).toList());
                return;
            } catch (RuntimeException e) {
                starting.shutdownNow();
                if (!said) {
                    said = true;
                    LOG.warn("Temporal does not answer; it is asked again until it does: {}", e.toString());
                }
            }
            try {
                Thread.sleep(wait);
            } catch (InterruptedException e) {
                return;
            }
            wait = Math.min(wait * 2, MAX_RETRY.toMillis());
        }
    }

    /** Whether the workers have begun. */
    boolean working() {
        return working;
    }

    @Override
    public void stop() {
        WorkerFactory stopping;
        synchronized (this) {
            if (starter != null) {
                starter.interrupt();
                starter = null;
            }
            stopping = factory;
            factory = null;
            working = false;
        }
        if (stopping != null) {
            // Agents hear of it at their next heartbeat.
            stopping.shutdown();
            stopping.awaitTermination(stopTimeout.toMillis(), TimeUnit.MILLISECONDS);
            stopping.shutdownNow();
            stopping.awaitTermination(1, TimeUnit.SECONDS);
        }
    }

    @Override
    public synchronized boolean isRunning() {
        return starter != null;
    }
}
