package dev.runcast.ingest;

import dev.runcast.doors.Callers;
import dev.runcast.doors.MetadataLimit;
import dev.runcast.doors.Policy;
import dev.runcast.doors.PrincipalInterceptor;
import dev.runcast.doors.Reflection;
import dev.runcast.topics.KafkaSettings;
import dev.runcast.topics.Stamp;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.v1.IngestServiceGrpc;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * The gRPC server of the runners' door, from the first byte to the last: it serves once all signals have been
 * read, and stops by finishing what it has taken. {@link #start} and {@link #stop} are called by Spring.
 */
public final class IngestServer implements SmartLifecycle {
    private static final Logger log = LoggerFactory.getLogger(IngestServer.class);
    private static final Duration LOOK_EVERY = Duration.ofMillis(250);
    private static final Duration DRAIN_LOOK = Duration.ofMillis(20);

    private final KafkaSettings kafka;
    private final IngestSettings settings;
    private final InstantSource clock;
    private final IngestMetrics metrics;
    private volatile @Nullable Running running;

    IngestServer(KafkaSettings kafka, IngestSettings settings, InstantSource clock, MeterRegistry meters) {
        this.kafka = kafka;
        this.settings = settings;
        this.clock = clock;
        this.metrics = new IngestMetrics(meters);
    }

    /** What exists while the server runs. */
    private record Running(
            Server server,
            HealthStatusManager health,
            IngestService service,
            SignalsReader signals,
            UpdateLog log,
            ExecutorService executor,
            ScheduledExecutorService timer) {}

    @Override
    public synchronized void start() {
        if (running != null) {
            return;
        }
        InetSocketAddress address = new InetSocketAddress(bindAddress(), settings.port());
        Callers callers = Callers.configured(settings.tokenFile(), address.getAddress(), clock);
        Map<Topic, Integer> counts = TopicAdministration.ensure(kafka.clients(), kafka.layout(), kafka.timeout());
        int partitions = counts.getOrDefault(Topic.UPDATES, kafka.partitions());
        int signalPartitions = counts.getOrDefault(Topic.SIGNALS, kafka.partitions());
        UpdateLog updates = new KafkaUpdateLog(kafka, settings, partitions);
        SignalBoard board = new SignalBoard();
        SignalsReader signals = new SignalsReader(kafka.clients(), signalPartitions, board);
        ExecutorService executor = pool(threads());
        InFlight inFlight = new InFlight(settings.inFlight().total().toBytes());
        IngestService service = new IngestService(new Door(
                updates,
                board,
                new BatchCheck(clock),
                new Stamp(clock),
                inFlight,
                new Pressure(inFlight),
                metrics,
                settings,
                executor,
                clock));
        HealthStatusManager health = new HealthStatusManager();
        serving(health, ServingStatus.NOT_SERVING);
        Server server = build(address, callers, service, health, executor);
        ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(named("runcast-ingest-timer-"));
        Running now = new Running(server, health, service, signals, updates, executor, timer);
        try {
            server.start();
        } catch (IOException e) {
            release(now);
            throw new UncheckedIOException(
                    "ingest: cannot listen on " + address + ": " + reason(e)
                            + " (expected: a free port; set runcast.ingest.port)",
                    e);
        }
        running = now;
        signals.start();
        signals.readWhole().thenRun(() -> {
            service.openDoor();
            serving(health, ServingStatus.SERVING);
            log.info("Serving runners on {}:{}", settings.address(), server.getPort());
        });
        timer.scheduleWithFixedDelay(
                service::lookAtPressure, LOOK_EVERY.toMillis(), LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    private Server build(
            InetSocketAddress address,
            Callers callers,
            IngestService service,
            HealthStatusManager health,
            ExecutorService executor) {
        IngestSettings.ConnectionSettings connection = settings.connection();
        NettyServerBuilder builder = NettyServerBuilder.forAddress(address)
                .executor(executor)
                .maxInboundMessageSize(Topic.MAX_RECORD_BYTES)
                .maxConcurrentCallsPerConnection(connection.maxStreams())
                .keepAliveTime(connection.keepAlive().toMillis(), TimeUnit.MILLISECONDS)
                .keepAliveTimeout(connection.keepAliveTimeout().toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveTime(connection.permitKeepAlive().toMillis(), TimeUnit.MILLISECONDS)
                .permitKeepAliveWithoutCalls(true)
                .maxConnectionIdle(connection.maxIdle().toMillis(), TimeUnit.MILLISECONDS)
                .maxInboundMetadataSize(MetadataLimit.TRANSPORT_BYTES)
                .intercept(new PrincipalInterceptor(callers, Policy.GRPC))
                .intercept(new MetadataLimit())
                .addService(service.definition())
                .addService(health.getHealthService());
        if (settings.reflection()) {
            Reflection.services().forEach(builder::addService);
        }
        return builder.build();
    }

    @Override
    public synchronized void stop() {
        Running stopping = running;
        if (stopping == null) {
            return;
        }
        running = null;
        long deadline = System.nanoTime() + settings.drainTimeout().toNanos();
        stopping.health().enterTerminalState();
        stopping.service().drain();
        // GOAWAY: runners open their next stream elsewhere, and the present ones finish.
        stopping.server().shutdown();
        while (!stopping.service().drained() && System.nanoTime() - deadline < 0) {
            if (!pause()) {
                break;
            }
        }
        if (stopping.service().drained()) {
            log.info("Drained: everything that was taken has been answered");
        } else {
            log.warn("Not drained within {}: what is not acked will be sent again", settings.drainTimeout());
        }
        release(stopping);
    }

    private void release(Running stopping) {
        stopping.timer().shutdownNow();
        stopping.server().shutdownNow();
        try {
            stopping.server().awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException neverStarted) {
            log.debug("The server had not started", neverStarted);
        }
        stopping.signals().close();
        stopping.log().close();
        stopping.executor().shutdown();
    }

    @Override
    public boolean isRunning() {
        return running != null;
    }

    /** After everything else has started, and first to stop. */
    @Override
    public int getPhase() {
        return Integer.MAX_VALUE;
    }

    /**
     * The port it listens on, also when 0 was asked for.
     *
     * @throws IllegalStateException when it does not run
     */
    public int port() {
        Running now = running;
        if (now == null) {
            throw new IllegalStateException("ingest does not run");
        }
        return now.server().getPort();
    }

    /** Whether updates are taken now. */
    public boolean isServing() {
        Running now = running;
        return now != null && now.signals().readWhole().isDone();
    }

    /** Whether signals reach runners now. */
    boolean readsSignals() {
        Running now = running;
        return now != null && now.signals().reading();
    }

    private InetAddress bindAddress() {
        try {
            return InetAddress.getByName(settings.address());
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException(
                    "runcast.ingest.address: " + settings.address() + " (expected: an address of this machine)", e);
        }
    }

    private int threads() {
        return settings.threads() > 0
                ? settings.threads()
                : Math.max(4, 2 * Runtime.getRuntime().availableProcessors());
    }

    private static void serving(HealthStatusManager health, ServingStatus status) {
        health.setStatus(HealthStatusManager.SERVICE_NAME_ALL_SERVICES, status);
        health.setStatus(IngestServiceGrpc.SERVICE_NAME, status);
    }

    private static boolean pause() {
        try {
            Thread.sleep(DRAIN_LOOK.toMillis());
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static String reason(IOException e) {
        return e.getCause() == null
                ? String.valueOf(e.getMessage())
                : String.valueOf(e.getCause().getMessage());
    }

    /** Once shut down it discards what comes: streams that are gone have nothing left to say. */
    static ExecutorService pool(int threads) {
        return new ThreadPoolExecutor(
                threads,
                threads,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                named("runcast-ingest-"),
                new ThreadPoolExecutor.DiscardPolicy());
    }

    private static ThreadFactory named(String prefix) {
        AtomicInteger number = new AtomicInteger();
        return task -> {
            Thread thread = new Thread(task, prefix + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        };
    }
}
