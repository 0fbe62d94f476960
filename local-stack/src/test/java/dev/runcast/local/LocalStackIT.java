package dev.runcast.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.runcast.cli.Runcast;
import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.local.LocalStack.Service;
import dev.runcast.runner.AttemptStanding;
import dev.runcast.runner.ReporterConfig;
import dev.runcast.runner.StatusReporter;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.ListExecutionsRequest;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

/** The whole stack in this JVM, with its services restarted under load and its folder mistreated. */
@Timeout(240)
class LocalStackIT {
    private static final long SEED = Long.getLong("runcast.seed", 20260508L);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir
    static Path folder;

    private static LocalStack stack;

    @BeforeAll
    static void start() {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
        StackOptions options = new StackOptions();
        DemoStory.settings(options);
        stack = LocalStack.start(options, folder.resolve("data"), line -> {});
    }

    @AfterAll
    static void stop() {
        stack.close();
    }

    @ParameterizedTest
    @EnumSource(
            mode = EnumSource.Mode.EXCLUDE,
            names = {"AGENTS", "WORKFLOW_WORKER"})
    void aServiceRestartedInTheMiddleOfAPlayLosesAndDoublesNothing(Service service) throws Exception {
        String name = service.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        Path recordings = recordings(name, 12);
        CompletableFuture<String> play = CompletableFuture.supplyAsync(() -> run("play", recordings, "--speed", "12"));
        for (int restart = 0; restart < 2; restart++) {
            // Each time when more has been merged than the time before.
            long before = versions(name);
            await().atMost(PATIENCE).ignoreExceptions().until(() -> play.isDone() || versions(name) > before + 20);
            stack.stop(service);
            stack.start(service);
        }
        assertThat(play.get()).contains("12 COMPLETED");
        DemoCheck.Compared compared =
                new DemoCheck("http://" + stack.addresses().page()).compare(recordings);
        assertThat(compared.differences())
                .as("seed %d; again with -Dit.test=LocalStackIT -Druncast.seed=%d", SEED, SEED)
                .isEmpty();
        assertThat(compared.executions()).isEqualTo(12);
    }

    @Test
    void anAttemptThatIsTooOldForAnUnknownExecutionIsToldInsteadOfWaiting() throws Exception {
        long epoch = Instant.now().minus(Duration.ofDays(30)).toEpochMilli();
        try (StatusReporter reporter =
                StatusReporter.open(ReporterConfig.of(stack.addresses().ingest()))) {
            assertThat(reporter.attach("long-gone", epoch)
                            .toCompletableFuture()
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .isEqualTo(new AttemptStanding.Fenced());
        }
    }

    @Test
    void theDemosStoryFindsNoDifference() throws Exception {
        StringWriter told = new StringWriter();
        assertThat(new DemoStory(stack, true, new PrintWriter(told, true)).tell())
                .isEmpty();
        assertThat(told.toString()).contains("nothing differs", "none missing, none twice", "FENCED");
    }

    @Test
    void oneByteThatDiffersFromTheRecordingIsFound() throws Exception {
        Path recordings = recordings("byte", 2);
        run("play", recordings, "--fast");
        DemoCheck check = new DemoCheck("http://" + stack.addresses().page());
        assertThat(check.compare(recordings).differences()).isEmpty();
        String content = Files.readString(recordings);
        int last = content.lastIndexOf("word");
        Files.writeString(recordings, content.substring(0, last) + "worD" + content.substring(last + 4));
        assertThat(check.compare(recordings).differences())
                .singleElement()
                .asString()
                .startsWith("byte-2");
    }

    @Test
    void aStoreThatLostWritesIsRepairedBeforeTheStackIsReadyAndABrokenOffRepairIsRunAgain(@TempDir Path own)
            throws Exception {
        Path recordings = recordings("lost", 3);
        try (LocalStack first = LocalStack.start(new StackOptions(), own, line -> {})) {
            assertThat(run(first, "play", recordings, "--fast")).contains("3 COMPLETED");
        }
        try (Stream<Path> files = Files.walk(own.resolve("mongo"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.delete(file);
            }
        }
        // As a repair leaves it that was stopped on its way.
        Files.writeString(own.resolve("repair-needed"), "");
        List<String> said = new ArrayList<>();
        try (LocalStack second = LocalStack.start(new StackOptions(), own, line -> {
            synchronized (said) {
                said.add(line);
            }
        })) {
            assertThat(new DemoCheck("http://" + second.addresses().page())
                            .compare(recordings)
                            .differences())
                    .isEmpty();
        }
        assertThat(said).anyMatch(line -> line.startsWith("made 3 executions again"));
        assertThat(own.resolve("repair-needed")).doesNotExist();
    }

    @Test
    void aServerThatIsGivenIsUsedAndNotStopped(@TempDir Path own) throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(own.resolve("theirs")))) {
            StackOptions options = new StackOptions();
            options.kafka = kafka.bootstrapServers();
            try (LocalStack using = LocalStack.start(options, own.resolve("data"), line -> {})) {
                assertThat(using.addresses().kafka()).isEqualTo(kafka.bootstrapServers());
                assertThat(run(using, "play", recordings("given", 1), "--fast")).contains("1 COMPLETED");
            }
            assertThat(kafka.isRunning()).isTrue();
            assertThat(own.resolve("data").resolve("kafka")).doesNotExist();
        }
    }

    @Test
    void whatCannotBeUsedIsNamedBeforeAnythingIsStarted(@TempDir Path own) throws IOException {
        StackOptions nobody = new StackOptions();
        nobody.redis = "redis://127.0.0.1:9";
        assertThatThrownBy(() -> LocalStack.start(nobody, own, line -> {}))
                .isInstanceOf(StackException.class)
                .hasMessageContaining("Redis: redis://127.0.0.1:9 does not answer");
        StackOptions malformed = new StackOptions();
        malformed.temporal = "here";
        assertThatThrownBy(() -> LocalStack.start(malformed, own, line -> {}))
                .hasMessage("Temporal: here (expected: HOST:PORT)");
        StackOptions tokens = new StackOptions();
        tokens.tokens = own.resolve("nowhere");
        assertThatThrownBy(() -> LocalStack.start(tokens, own, line -> {})).hasMessageContaining("nowhere (expected:");
        Files.writeString(own.resolve("VERSION"), "7\n");
        assertThatThrownBy(() -> LocalStack.start(new StackOptions(), own, line -> {}))
                .hasMessageContaining("version 7 (expected: 2");
    }

    /** Changes of all executions whose names begin so, as the store shows them. */
    private static long versions(String prefix) {
        ManagedChannel channel = NettyChannelBuilder.forTarget(stack.addresses().api())
                .usePlaintext()
                .build();
        try {
            return ExecutionServiceGrpc.newBlockingStub(channel)
                    .listExecutions(
                            ListExecutionsRequest.newBuilder().setPageSize(500).build())
                    .getExecutionsList()
                    .stream()
                    .filter(execution -> execution.getExecutionId().startsWith(prefix))
                    .mapToLong(Execution::getVersion)
                    .sum();
        } finally {
            channel.shutdownNow();
        }
    }

    private static String run(String command, Path file, String... options) {
        return run(stack, command, file, options);
    }

    private static String run(LocalStack on, String command, Path file, String... options) {
        List<String> words = new ArrayList<>(List.of(command, file.toString()));
        words.addAll(List.of(options));
        words.addAll(List.of(
                "--ingest", on.addresses().ingest(), "--server", on.addresses().api()));
        StringWriter printed = new StringWriter();
        PrintWriter writer = new PrintWriter(printed, true);
        CommandLine commands = Runcast.commandLine().setOut(writer).setErr(writer);
        commands.execute(words.toArray(String[]::new));
        return printed.toString();
    }

    /** Conversations {@code name-1} to {@code name-N}, the same for the same seed. */
    private static Path recordings(String name, int count) throws IOException {
        Random random = new Random(SEED + name.hashCode());
        Path file = Files.createTempFile(folder, name, ".jsonl");
        try (Writer out = Files.newBufferedWriter(file)) {
            for (int i = 1; i <= count; i++) {
                StringBuilder messages = new StringBuilder("{\"role\":\"user\",\"content\":\"日本語 🙂\"}");
                for (int turn = 0; turn < 4; turn++) {
                    String call = "c" + turn;
                    messages.append(",{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"" + call
                            + "\",\"function\":{\"name\":\"tool\",\"arguments\":\"{\\\"n\\\": " + random.nextInt()
                            + "}\"}}]}");
                    messages.append(",{\"role\":\"tool\",\"tool_call_id\":\"" + call
                            + "\",\"name\":\"tool\",\"content\":\"result\",\"repeat\":" + (1 + random.nextInt(50))
                            + "}");
                    messages.append(",{\"role\":\"assistant\",\"content\":\""
                            + "a word é ".repeat(1 + random.nextInt(40)) + "\"}");
                }
                out.write("{\"conversation_id\":\"" + name + "-" + i + "\",\"messages\":[" + messages + "]}\n");
            }
        }
        return file;
    }
}
