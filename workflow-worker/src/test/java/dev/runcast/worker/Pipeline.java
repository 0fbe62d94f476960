package dev.runcast.worker;

import com.google.protobuf.Timestamp;
import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.embedded.EmbeddedTemporal;
import dev.runcast.embedded.FreePorts;
import dev.runcast.ingest.IngestApplication;
import dev.runcast.merge.ExecutionView;
import dev.runcast.merge.Merge;
import dev.runcast.mergestream.MergeStreamApplication;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.Isolation;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.topics.TopicLayout;
import dev.runcast.v1.ApprovalDecided;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Control;
import dev.runcast.v1.ControlRequested;
import dev.runcast.v1.Decision;
import dev.runcast.v1.Declared;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionSpec;
import dev.runcast.v1.Phase;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import dev.runcast.workflow.WorkflowIds;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.util.FileSystemUtils;

/**
 * Kafka, the merge, the runners' door and Temporal, with the workers between them; says what people say and keeps what
 * the merge made of it.
 */
final class Pipeline implements AutoCloseable {
    /** Hands every class of tests the same one, which is stopped behind the last. */
    static final class Shared implements ParameterResolver {
        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == Pipeline.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            return context.getRoot()
                    .getStore(ExtensionContext.Namespace.GLOBAL)
                    .computeIfAbsent(Pipeline.class, unused -> new Pipeline(), Pipeline.class);
        }
    }

    static final String TENANT = "default";
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final EmbeddedKafka kafka;
    final EmbeddedTemporal temporal;
    final int ingestPort = FreePorts.free();
    final Path folder;
    private ConfigurableApplicationContext merge;
    private ConfigurableApplicationContext ingest;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Map<String, List<Change>> changes = new ConcurrentHashMap<>();
    private final List<RejectedUpdate> rejected = new CopyOnWriteArrayList<>();
    private final AtomicInteger requests = new AtomicInteger();
    private final Thread reader;
    private volatile boolean stopping;

    private Pipeline() {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
        try {
            folder = Files.createTempDirectory("runcast-pipeline-");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        temporal = EmbeddedTemporal.start(0);
        TopicAdministration.ensure(clients(), TopicLayout.LOCAL, Duration.ofSeconds(30));
        producer = new KafkaProducer<>(clients().producer("people", Duration.ZERO, Duration.ofSeconds(30)));
        startMerge();
        startIngest();
        reader = new Thread(this::read, "pipeline-reader");
        reader.start();
    }

    ClientSettings clients() {
        return new ClientSettings(kafka.bootstrapServers());
    }

    void startMerge() {
        merge = MergeStreamApplication.builder()
                .web(WebApplicationType.NONE)
                .run(
                        "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                        "--runcast.merge.threads=1",
                        "--runcast.merge.state-directory=" + folder.resolve("merge"));
    }

    void stopMerge() {
        merge.close();
    }

    void startIngest() {
        ingest = IngestApplication.builder()
                .web(WebApplicationType.NONE)
                .run(
                        "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                        "--runcast.ingest.port=" + ingestPort);
    }

    void stopIngest() {
        ingest.close();
    }

    /** What a worker of this pipeline is started with; later arguments win. */
    List<String> workerArguments(String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.temporal.connection.target=" + temporal.target(),
                "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                "--runcast.kafka.properties.session.timeout.ms=6000",
                "--runcast.runner.ingest=127.0.0.1:" + ingestPort,
                "--runcast.runner.threads=" + folder.resolve("threads"),
                "--runcast.runner.speed=5",
                "--runcast.workflow.heartbeat-timeout=3s",
                "--runcast.workflow.retry-interval=100ms",
                "--runcast.workflow.stop-timeout=5s",
                "--runcast.workflow.reconcile-interval=1s"));
        for (String argument : more) {
            // Given twice it would be a list of both.
            String name = argument.substring(0, argument.indexOf('=') + 1);
            arguments.removeIf(before -> before.startsWith(name));
            arguments.add(argument);
        }
        return arguments;
    }

    ConfigurableApplicationContext startWorker(String... more) {
        return WorkflowWorkerApplication.builder()
                .web(WebApplicationType.NONE)
                .run(workerArguments(more).toArray(String[]::new));
    }

    // What people and other programs say.

    void create(String id, String agent, String input) {
        say(
                id,
                WriterKind.WRITER_KIND_OPERATOR,
                Update.newBuilder()
                        .setDeclared(Declared.newBuilder()
                                .setSpec(ExecutionSpec.newBuilder()
                                        .setAgent(agent)
                                        .setInput(input)
                                        .setWorkflowId(WorkflowIds.of(TENANT, id)))));
    }

    /** An execution of an agent that does these steps. */
    void script(String id, String steps) {
        create(id, "script", steps);
    }

    void control(String id, Control control) {
        say(
                id,
                WriterKind.WRITER_KIND_OPERATOR,
                Update.newBuilder()
                        .setControlRequested(ControlRequested.newBuilder().setControl(control)));
    }

    void decide(String id, String approvalId, Decision decision, String person) {
        append(batch(id, WriterKind.WRITER_KIND_OPERATOR)
                .setPrincipal(person)
                .addUpdates(Update.newBuilder()
                        .setApprovalDecided(ApprovalDecided.newBuilder()
                                .setEntryId(approvalId)
                                .setDecision(decision)))
                .build());
    }

    void say(String id, WriterKind kind, Update.Builder update) {
        append(batch(id, kind).addUpdates(update).build());
    }

    UpdateBatch.Builder batch(String id, WriterKind kind) {
        Instant now = Instant.now();
        return UpdateBatch.newBuilder()
                .setTenant(TENANT)
                .setExecutionId(id)
                .setWriter(Writer.newBuilder().setKind(kind))
                .setRequestId("r" + requests.incrementAndGet())
                .setReceivedAt(
                        Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()))
                .setRules(Merge.NEWEST_RULES)
                .setPrincipal("dana");
    }

    void append(UpdateBatch batch) {
        producer.send(RecordCodec.UPDATES.record(batch));
        producer.flush();
    }

    // What came of it.

    List<Change> changes(String id) {
        return List.copyOf(changes.getOrDefault(id, List.of()));
    }

    List<RejectedUpdate> rejected(String id) {
        return rejected.stream()
                .filter(each -> each.getExecutionId().equals(id))
                .toList();
    }

    Optional<ExecutionView> view(String id) {
        List<Change> known = changes(id);
        if (known.isEmpty()) {
            return Optional.empty();
        }
        ExecutionView view = ExecutionView.EMPTY;
        for (Change change : known) {
            view = view.apply(change);
        }
        return Optional.of(view);
    }

    Execution execution(String id) {
        return view(id).map(ExecutionView::execution).orElse(Execution.getDefaultInstance());
    }

    Execution awaitPhase(String id, Phase phase) {
        return await(id, phase.name(), execution -> execution.getPhase() == phase);
    }

    Execution await(String id, String what, Predicate<Execution> condition) {
        Awaitility.await()
                .alias(id + " " + what)
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> condition.test(execution(id)));
        return execution(id);
    }

    private void read() {
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(clients().consumer("test", null, Isolation.UNCOMMITTED))) {
            List<TopicPartition> all = List.of(Topic.CHANGES, Topic.REJECTED).stream()
                    .flatMap(topic -> consumer.partitionsFor(topic.topicName()).stream())
                    .map(each -> new TopicPartition(each.topic(), each.partition()))
                    .toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            while (!stopping) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(50))) {
                    if (record.topic().equals(Topic.REJECTED.topicName())) {
                        rejected.add(RecordCodec.REJECTED.require(record));
                    } else if (RecordCodec.CHANGES.decode(record.key(), record.value())
                            instanceof Decoded.Value<ChangeBatch> read) {
                        List<Change> known = changes.computeIfAbsent(
                                read.value().getExecutionId(), unused -> new CopyOnWriteArrayList<>());
                        // What an aborted transaction had shown comes again under the same version.
                        read.value().getChangesList().stream()
                                .filter(change -> change.getVersion() == known.size() + 1)
                                .forEach(known::add);
                    }
                }
            }
        }
    }

    @Override
    public void close() {
        stopping = true;
        try {
            reader.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ingest.close();
        merge.close();
        producer.close();
        temporal.close();
        kafka.close();
        try {
            FileSystemUtils.deleteRecursively(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
