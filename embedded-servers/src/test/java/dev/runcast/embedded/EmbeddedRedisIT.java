package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatObject;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedRedisIT {

    @TempDir
    Path folder;

    @Test
    void aValueIsServedAndForgottenWhenNothingIsKept() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory())) {
            assertThatObject(with(redis, connection -> connection.sync().set("key", "value")))
                    .isEqualTo("OK");
            assertThatObject(with(redis, connection -> connection.sync().get("key")))
                    .isEqualTo("value");
            redis.restart();
            assertThatObject(with(redis, connection -> connection.sync().exists("key")))
                    .isEqualTo(0L);
        }
    }

    @Test
    void aValueIsThereAfterARestartWhenDataIsKept() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(new EmbeddedRedis.Config(folder, 0, true))) {
            with(redis, connection -> connection.sync().set("key", "value"));
            redis.stop();
            assertThat(FreePorts.isFree(redis.port())).isTrue();
            redis.restart();
            assertThatObject(with(redis, connection -> connection.sync().get("key")))
                    .isEqualTo("value");
            assertThat(redis.info().address()).isEqualTo("127.0.0.1:" + redis.port());
        }
    }

    @Test
    void twoRunBesideEachOther() {
        try (EmbeddedRedis first = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory());
                EmbeddedRedis second = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory())) {
            with(first, connection -> connection.sync().set("key", "first"));
            assertThatObject(with(second, connection -> connection.sync().exists("key")))
                    .isEqualTo(0L);
        }
    }

    @Test
    void onlyTheLoopbackInterfaceIsServed() {
        try (EmbeddedRedis redis = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory())) {
            assertThatObject(with(redis, connection -> connection.sync().configGet("bind")))
                    .isEqualTo(Map.of("bind", "127.0.0.1"));
        }
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(FreePorts.loopback(), FreePorts.free()));
            assertThatThrownBy(() -> EmbeddedRedis.start(new EmbeddedRedis.Config(null, other.getLocalPort(), false)))
                    .isInstanceOf(EmbeddedServerException.class)
                    .hasMessageContaining("Redis port: " + other.getLocalPort() + " is taken");
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() throws Exception {
        Path data = Files.createFile(folder.resolve("file")).resolve("data");
        assertThatThrownBy(() -> EmbeddedRedis.start(new EmbeddedRedis.Config(data, 0, false)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("Redis data folder: " + data);
    }

    @Test
    void anAppendOnlyFileRedisCannotReadIsReportedInItsOwnWords() throws Exception {
        Files.writeString(folder.resolve("appendonly.aof"), "this is no append-only file\n");
        assertThatThrownBy(() -> EmbeddedRedis.start(new EmbeddedRedis.Config(folder, 0, true)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("Bad file format reading the append only file");
    }

    @Test
    void redisEndsWithAProcessThatIsKilled() throws Exception {
        try (OtherProcess killed = OtherProcess.run(RedisUntilKilled.class, folder.toString())) {
            ProcessHandle redis = redisOf(killed.awaitLine("pid"));
            assertThat(redis.isAlive()).isTrue();
            killed.kill();
            Awaitility.await().atMost(Duration.ofSeconds(5)).until(() -> !redis.isAlive());
        }
    }

    @Test
    void aRedisLeftBehindIsEndedByTheNextOnTheFolder() throws Exception {
        int port = FreePorts.free();
        Path program = RedisBinary.unpack(folder).orElseThrow();
        Process leftover = new ProcessBuilder(
                        program.toString(), "--port", Integer.toString(port), "--bind", "127.0.0.1", "--save", "")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            Awaitility.await().until(() -> !FreePorts.isFree(port));
            RedisLeftover.remember(folder, leftover.toHandle());
            try (EmbeddedRedis redis = EmbeddedRedis.start(new EmbeddedRedis.Config(folder, port, false))) {
                assertThat(leftover.isAlive()).isFalse();
                assertThatObject(with(redis, connection -> connection.sync().ping()))
                        .isEqualTo("PONG");
            }
        } finally {
            leftover.destroyForcibly();
        }
    }

    @Test
    void aProcessThatGotTheRememberedNumberLaterIsLeftAlone() throws Exception {
        Files.writeString(
                folder.resolve("redis.process"), ProcessHandle.current().pid() + "\n0\n/usr/bin/redis-server\n");
        try (EmbeddedRedis redis = EmbeddedRedis.start(new EmbeddedRedis.Config(folder, 0, false))) {
            assertThat(redis.isRunning()).isTrue();
        }
    }

    private static ProcessHandle redisOf(String pid) {
        return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
    }

    private static <T> T with(EmbeddedRedis redis, Function<StatefulRedisConnection<String, String>, T> action) {
        RedisClient client = RedisClient.create(redis.uri());
        try (StatefulRedisConnection<String, String> connection = client.connect()) {
            return action.apply(connection);
        } finally {
            client.shutdown(Duration.ZERO, Duration.ofSeconds(2));
        }
    }

    /** Runs a Redis until somebody kills this process. */
    static final class RedisUntilKilled {

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            EmbeddedRedis.start(new EmbeddedRedis.Config(folder, 0, false));
            System.out.println(
                    "pid " + Files.readAllLines(folder.resolve("redis.process")).get(0));
            Thread.currentThread().join();
        }
    }
}
