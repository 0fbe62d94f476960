package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** All four in one process, as the local stack has them. */
class AllServersIT {

    @TempDir
    Path folder;

    @Test
    void theyStopCleanlyFromAShutdownHookWhenTheProcessIsAskedToEnd() throws Exception {
        try (OtherProcess process = OtherProcess.run(AllUntilAsked.class, folder.toString())) {
            ProcessHandle redis =
                    ProcessHandle.of(Long.parseLong(process.awaitLine("redis"))).orElseThrow();
            assertThat(marks()).containsExactly("kafka", "mongo", "redis");
            process.askToEnd();
            process.awaitLine("stopped");
            assertThat(marks()).isEmpty();
            assertThat(redis.isAlive()).isFalse();
        }
    }

    @Test
    void withTheListedLoggersTurnedDownStartingServingAndStoppingSaysNothing() throws Exception {
        List<ILoggingEvent> said = new ArrayList<>();
        Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        Level before = root.getLevel();
        ListAppender<ILoggingEvent> listening = new ListAppender<>();
        listening.list = said;
        listening.start();
        root.setLevel(Level.INFO);
        NoisyLoggers.LEVELS.forEach(
                (name, level) -> ((Logger) LoggerFactory.getLogger(name)).setLevel(Level.convertAnSLF4JLevel(level)));
        root.addAppender(listening);
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
                EmbeddedRedis redis = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory());
                EmbeddedMongo mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("mongo")));
                EmbeddedTemporal temporal = EmbeddedTemporal.start(0)) {
            KafkaClients clients = new KafkaClients(kafka);
            clients.createTopic("t", Map.of());
            clients.produce("t", "one");
            assertThat(clients.consume("t", "group", 1)).containsExactly("one");
            for (EmbeddedServer server : List.of(kafka, redis, mongo, temporal)) {
                server.restart();
                assertThat(server.isRunning()).isTrue();
            }
        } finally {
            root.detachAppender(listening);
            root.setLevel(before);
            NoisyLoggers.LEVELS.keySet().forEach(name -> ((Logger) LoggerFactory.getLogger(name)).setLevel(null));
        }
        assertThat(said).extracting(ILoggingEvent::toString).isEmpty();
    }

    /** The servers whose folder has the mark of an unclean stop. */
    private List<String> marks() throws Exception {
        try (var folders = Files.list(folder)) {
            return folders.filter(server -> Files.exists(server.resolve("unclean")))
                    .map(server -> server.getFileName().toString())
                    .sorted(Comparator.naturalOrder())
                    .toList();
        }
    }

    /** Runs all servers and stops them in a shutdown hook. */
    static final class AllUntilAsked {

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            List<EmbeddedServer> servers = List.of(
                    EmbeddedTemporal.start(0),
                    EmbeddedRedis.start(new EmbeddedRedis.Config(folder.resolve("redis"), 0, false)),
                    EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("mongo"))),
                    EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka"))));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                servers.forEach(EmbeddedServer::close);
                System.out.println("stopped");
            }));
            System.out.println("redis "
                    + Files.readAllLines(folder.resolve("redis").resolve("redis.process"))
                            .get(0));
            Thread.currentThread().join();
        }
    }
}
