package dev.runcast.local;

import dev.runcast.api.ApiApplication;
import dev.runcast.embedded.FreePorts;
import dev.runcast.ingest.IngestApplication;
import dev.runcast.mergestream.MergeStreamApplication;
import dev.runcast.mergestream.MergeStreams;
import dev.runcast.sink.Rebuild;
import dev.runcast.sink.RebuildReport;
import dev.runcast.sink.SinkApplication;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import dev.runcast.topics.ClientSettings;
import dev.runcast.worker.WorkflowWorkerApplication;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.apache.kafka.streams.KafkaStreams;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * The whole of Runcast in this JVM. It is ready when {@link #start} returns, which after an unclean stop of the
 * embedded store includes repairing it from the log. Thread-safe.
 */
final class LocalStack implements AutoCloseable {
    /** The services, in the order in which they stop: first the doors, so that the rest can run dry. */
    enum Service {
        API,
        AGENTS,
        WORKFLOW_WORKER,
        INGEST,
        MERGE_STREAM,
        SINK
    }

    private static final Duration MERGE_PATIENCE = Duration.ofSeconds(60);

    private final EmbeddedParts servers;
    private final Map<Service, List<String>> arguments = new EnumMap<>(Service.class);
    private final Map<Service, ConfigurableApplicationContext> running = new EnumMap<>(Service.class);
    private final Consumer<String> progress;
    private final Addresses addresses;
    private final Path folder;

    private LocalStack(EmbeddedParts servers, StackOptions options, Path folder, Consumer<String> progress) {
        this.servers = servers;
        this.progress = progress;
        this.folder = folder;
        FreePorts.Choice page = FreePorts.preferred(options.pagePort);
        FreePorts.Choice api = FreePorts.preferred(8091);
        FreePorts.Choice ingest = FreePorts.preferred(8080);
        for (FreePorts.Choice choice : List.of(page, api, ingest)) {
            if (choice.substituted()) {
                progress.accept("port " + choice.preferred() + " is taken, so " + choice.port() + " takes its place");
            }
        }
        this.addresses = new Addresses(
                "127.0.0.1:" + page.port(),
                "127.0.0.1:" + api.port(),
                "127.0.0.1:" + ingest.port(),
                servers.kafka(),
                servers.mongo(),
                servers.redis(),
                servers.temporal(),
                folder);
        settings(options, page.port(), api.port(), ingest.port());
    }

    /**
     * Starts everything and returns when it serves.
     *
     * @param progress is told in a sentence what has been started
     * @throws StackException when something cannot start; nothing is left running
     */
    static LocalStack start(StackOptions options, Path folder, Consumer<String> progress) {
        options.check();
        DataVersion.take(folder);
        try (StartTurn turn = StartTurn.await(progress)) {
            return startInTurn(options, folder, progress);
        }
    }

    private static LocalStack startInTurn(StackOptions options, Path folder, Consumer<String> progress) {
        EmbeddedParts servers = EmbeddedParts.start(options, folder, progress);
        AutoCloseable running = servers;
        try {
            LocalStack stack = new LocalStack(servers, options, folder, progress);
            running = stack;
            stack.startServices();
            RunningStack.write(folder, stack.addresses());
            return stack;
        } catch (RuntimeException e) {
            try {
                running.close();
            } catch (Exception whileStopping) {
                e.addSuppressed(whileStopping);
            }
            throw e;
        }
    }

    Addresses addresses() {
        return addresses;
    }

    private void settings(StackOptions options, int page, int api, int ingest) {
        String kafka = "--runcast.kafka.bootstrap-servers=" + servers.kafka();
        String mongo = "--runcast.mongo.uri=" + servers.mongo();
        String redis = "--runcast.redis.uri=" + servers.redis();
        // The embedded store has one writer and is slow to compare versions; a real one is guarded.
        String guard = "--runcast.mongo.version-guard=" + (options.mongo != null);
        arguments.put(
                Service.API,
                with(
                        options.tokens == null ? null : "--runcast.api.token-file=" + options.tokens,
                        kafka,
                        mongo,
                        redis,
                        "--runcast.api.http-port=" + page,
                        "--runcast.api.grpc-port=" + api));
        arguments.put(
                Service.INGEST,
                with(
                        options.tokens == null ? null : "--runcast.ingest.token-file=" + options.tokens,
                        kafka,
                        "--runcast.ingest.port=" + ingest,
                        "--spring.main.web-application-type=none"));
        arguments.put(
                Service.MERGE_STREAM,
                with(
                        null,
                        kafka,
                        "--runcast.merge.threads=1",
                        "--runcast.merge.instance-id=local",
                        "--runcast.merge.state-directory=" + folder.resolve("merge-stream"),
                        "--spring.main.web-application-type=none"));
        arguments.put(
                Service.SINK,
                with(
                        null,
                        kafka,
                        mongo,
                        redis,
                        guard,
                        // After kill -9 the broker waits for the members that died, 45 s by default; 6 s is its lower
                        // bound.
                        "--runcast.kafka.properties.session.timeout.ms=6000",
                        "--spring.main.web-application-type=none"));
        workers(options, kafka, ingest);
        if (options.kafka == null) {
            // Nothing crosses a network to the embedded broker, and compressing single updates makes a third of all
            // garbage.
            for (Service writes : List.of(Service.API, Service.INGEST, Service.MERGE_STREAM, Service.WORKFLOW_WORKER)) {
                Objects.requireNonNull(arguments.get(writes)).add("--runcast.kafka.properties.compression.type=none");
            }
        }
    }

    /** Workflows and agents are two services, as they may be two processes: agents come and go while workflows stay. */
    private void workers(StackOptions options, String kafka, int ingest) {
        String temporal = "--spring.temporal.connection.target=" + servers.temporal();
        List<String> workflows = with(
                null,
                kafka,
                temporal,
                "--runcast.worker.activities=false",
                "--runcast.workflow.concurrency=1",
                "--runcast.kafka.properties.session.timeout.ms=6000",
                "--spring.main.web-application-type=none");
        workflows.addAll(options.workflows);
        arguments.put(Service.WORKFLOW_WORKER, workflows);
        if (options.withoutAgents) {
            return;
        }
        List<String> agents = with(
                null,
                temporal,
                "--runcast.worker.workflows=false",
                "--runcast.runner.ingest=127.0.0.1:" + ingest,
                "--runcast.runner.threads=" + folder.resolve("threads"),
                "--runcast.runner.agents=" + folder.resolve("agents"),
                "--spring.main.web-application-type=none");
        if (options.tokens != null) {
            agents.add("--runcast.runner.token-required=true");
            AgentTokens.of(options.tokens)
                    .forEach((tenant, token) -> agents.add("--runcast.runner.tokens[" + tenant + "]=" + token));
        }
        agents.addAll(options.agents);
        arguments.put(Service.AGENTS, agents);
    }

    private static List<String> with(@Nullable String optional, String... others) {
        List<String> all = new ArrayList<>(List.of(others));
        if (optional != null) {
            all.add(optional);
        }
        return all;
    }

    private void startServices() {
        // The merge creates the topics that the others need.
        start(Service.MERGE_STREAM);
        prepareEmbeddedStore();
        ExecutorService starters = Executors.newCachedThreadPool();
        try {
            CompletableFuture.allOf(arguments.keySet().stream()
                            .filter(service -> service != Service.MERGE_STREAM)
                            .map(service -> CompletableFuture.runAsync(() -> start(service), starters))
                            .toArray(CompletableFuture[]::new))
                    .join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof StackException known ? known : new StackException(sentence(e), e);
        } finally {
            starters.shutdown();
        }
        awaitMerge();
    }

    // Without it the first updates would wait in the log, and the first viewer with them.
    private void awaitMerge() {
        long deadline = System.nanoTime() + MERGE_PATIENCE.toNanos();
        MergeStreams streams;
        synchronized (running) {
            streams = Objects.requireNonNull(running.get(Service.MERGE_STREAM), "merge-stream was started")
                    .getBean(MergeStreams.class);
        }
        while (streams.state() != KafkaStreams.State.RUNNING) {
            if (System.nanoTime() > deadline || streams.state() == KafkaStreams.State.ERROR) {
                throw new StackException("merge-stream is " + streams.state() + " (expected: RUNNING within "
                        + MERGE_PATIENCE.toSeconds() + " s)");
            }
            LockSupport.parkNanos(10_000_000);
        }
    }

    /** So that nobody reads while the embedded store makes its indexes, which it refuses, or lacks what the log has. */
    private void prepareEmbeddedStore() {
        if (!servers.storeIsEmbedded()) {
            return;
        }
        try (MongoExecutionStore store = MongoExecutionStore.connect(MongoSettings.embedded(servers.mongo()))) {
            store.prepare().block();
            if (servers.storeMayLackWrites()) {
                progress.accept(
                        "the last stop was not clean: making the store again from the log, which has everything");
                RebuildReport done = new Rebuild(new ClientSettings(servers.kafka()), store, Duration.ZERO)
                        .replace((step, reached, all) -> {});
                progress.accept("made %d executions again".formatted(done.replaced()));
            }
        } catch (RuntimeException e) {
            throw new StackException(
                    "the store cannot be made ready, and the next start tries again: " + sentence(e), e);
        }
        EmbeddedParts.removeMark(folder);
    }

    /**
     * Starts a service that is not running.
     *
     * @throws StackException when it cannot start
     */
    void start(Service service) {
        long started = System.nanoTime();
        SpringApplicationBuilder builder =
                switch (service) {
                    case API -> ApiApplication.builder();
                    case INGEST -> IngestApplication.builder();
                    case MERGE_STREAM -> MergeStreamApplication.builder();
                    case SINK -> SinkApplication.builder();
                    case WORKFLOW_WORKER, AGENTS -> WorkflowWorkerApplication.builder();
                };
        ConfigurableApplicationContext context;
        try {
            context = builder.registerShutdownHook(false)
                    .run(arguments.getOrDefault(service, List.of()).toArray(String[]::new));
        } catch (RuntimeException e) {
            throw new StackException(name(service) + " cannot start: " + sentence(e), e);
        }
        ConfigurableApplicationContext twin;
        synchronized (running) {
            twin = running.putIfAbsent(service, context);
        }
        if (twin != null) {
            context.close();
            throw new IllegalStateException(name(service) + " runs (expected: stopped)");
        }
        progress.accept(name(service) + " runs (" + (System.nanoTime() - started) / 1_000_000 + " ms)");
    }

    /** Stops a service as SIGTERM would: it finishes what it has begun. */
    void stop(Service service) {
        ConfigurableApplicationContext context;
        synchronized (running) {
            context = running.remove(service);
        }
        if (context != null) {
            context.close();
        }
    }

    private static String name(Service service) {
        return switch (service) {
            case API -> "api-service";
            case INGEST -> "ingest-service";
            case MERGE_STREAM -> "merge-stream";
            case SINK -> "sink-service";
            case WORKFLOW_WORKER -> "workflow-worker";
            case AGENTS -> "workflow-worker for agents";
        };
    }

    // Frameworks wrap; the innermost cause is the one that a person can do something about.
    static String sentence(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }

    @Override
    public void close() {
        try {
            for (Service service : Service.values()) {
                stop(service);
            }
        } finally {
            servers.close();
            RunningStack.remove(folder);
        }
    }
}
