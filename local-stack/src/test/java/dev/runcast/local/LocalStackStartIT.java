package dev.runcast.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.embedded.EmbeddedRedis;
import dev.runcast.embedded.EmbeddedServer;
import dev.runcast.embedded.EmbeddedTemporal;
import dev.runcast.embedded.FreePorts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a start finds, and what it leaves behind when it fails. */
@Timeout(120)
class LocalStackStartIT {
    @TempDir
    Path folder;

    private final List<String> said = new CopyOnWriteArrayList<>();

    @BeforeAll
    static void quiet() {
        System.setProperty("org.springframework.boot.logging.LoggingSystem", "none");
    }

    @Test
    void aFailedStartLeavesNothingRunningAndStillKnowsThatTheStoreIsUnclean() throws IOException {
        leftUnclean();
        Files.writeString(folder.resolve("kafka"), "in the way");

        assertThatThrownBy(() -> LocalStack.start(new StackOptions(), folder, said::add))
                .isInstanceOf(StackException.class)
                .hasMessageContaining("Kafka data folder");

        // Each would refuse a folder that another still has.
        EmbeddedRedis.start(new EmbeddedRedis.Config(folder.resolve("redis"), 0, false))
                .close();
        EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("mongo"))).close();
        assertThat(folder.resolve("mongo").resolve("unclean")).doesNotExist();

        Files.delete(folder.resolve("kafka"));
        LocalStack.start(new StackOptions(), folder, said::add).close();
        assertThat(said)
                .anyMatch(line -> line.contains("making the store again"))
                .anyMatch(line -> line.startsWith("made 0 executions again"));
        assertThat(EmbeddedParts.mark(folder)).doesNotExist();
    }

    @Test
    void aGivenStoreIsNotRepairedForTheEmbeddedOneAndNothingGivenIsStopped() throws IOException {
        Files.writeString(EmbeddedParts.mark(folder), "");
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("theirs")));
                EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.inMemory());
                EmbeddedRedis redis =
                        EmbeddedRedis.start(new EmbeddedRedis.Config(folder.resolve("their-redis"), 0, false))) {
            StackOptions options = new StackOptions();
            options.kafka = kafka.bootstrapServers();
            options.mongo = mongo.connectionString();
            options.redis = redis.uri();
            LocalStack.start(options, folder, said::add).close();
            assertThat(kafka.isRunning() && mongo.isRunning() && redis.isRunning())
                    .isTrue();
        }
        assertThat(said).noneMatch(line -> line.contains("repair"));
        assertThat(EmbeddedParts.mark(folder)).exists();
        assertThat(folder).isDirectoryNotContaining(file -> List.of("kafka", "mongo", "redis")
                .contains(file.getFileName().toString()));
    }

    @Test
    void takenPortsAreReplacedAndSaid() throws IOException {
        StackOptions options = new StackOptions();
        try (ServerSocket page = taken();
                ServerSocket temporal = taken()) {
            options.pagePort = page.getLocalPort();
            options.temporalPort = temporal.getLocalPort();
            try (LocalStack stack = LocalStack.start(options, folder, said::add)) {
                String instead = stack.addresses().page().split(":")[1];
                assertThat(said)
                        .contains("port " + options.pagePort + " is taken, so " + instead + " takes its place")
                        .anyMatch(line -> line.contains("since port " + options.temporalPort + " is taken"));
                assertThat(stack.addresses().page()).isNotEqualTo("127.0.0.1:" + options.pagePort);
                assertThat(stack.addresses().temporal()).isNotEqualTo("127.0.0.1:" + options.temporalPort);
                assertThatThrownBy(() -> stack.start(LocalStack.Service.API)).hasMessageStartingWith("api-service");
            }
        }
    }

    @Test
    void aPortThatSomebodyHadOnlyForAnInstantIsReplacedToo() {
        FreePorts.Choice choice = FreePorts.preferred(0);
        for (IntFunction<EmbeddedServer> server : List.<IntFunction<EmbeddedServer>>of(
                port -> EmbeddedKafka.start(new EmbeddedKafka.Config(folder.resolve("kafka"), port)),
                EmbeddedTemporal::start)) {
            List<Integer> tried = new ArrayList<>();
            try (EmbeddedServer started = EmbeddedParts.startOn(choice, port -> {
                tried.add(port);
                return tried.size() == 1 ? startWhereSomebodyIs(port, server) : server.apply(port);
            })) {
                assertThat(tried).containsExactly(choice.port(), started.port());
                assertThat(started.isRunning()).isTrue();
            }
        }
    }

    @Test
    void aPasswordIsNotShown() {
        StackOptions options = new StackOptions();
        options.mongo = "mongodb://somebody:secret@127.0.0.1:9";
        assertThatThrownBy(() -> LocalStack.start(options, folder, said::add))
                .hasMessageContaining("MongoDB: mongodb://127.0.0.1:9 does not answer")
                .hasMessageNotContaining("secret");
        options.mongo = "mongodb://somebody:secret@127.0.0.1";
        assertThatThrownBy(() -> LocalStack.start(options, folder, said::add))
                .hasMessage("MongoDB: mongodb://127.0.0.1 (expected: HOST:PORT)")
                .hasNoCause();
    }

    /** As kill -9 leaves it. */
    private void leftUnclean() throws IOException {
        EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("mongo"))).close();
        Files.createFile(folder.resolve("mongo").resolve("unclean"));
    }

    /** Fails, and by then the port is free again. */
    private static <S> S startWhereSomebodyIs(int port, IntFunction<S> start) {
        try (ServerSocket somebody = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return start.apply(somebody.getLocalPort());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ServerSocket taken() throws IOException {
        return new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    }
}
