package dev.runcast.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedRedis;
import dev.runcast.store.redis.RedisChangeBell;
import dev.runcast.store.redis.RedisSettings;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RedisChangeBellIT extends ChangeBellContract {
    private static EmbeddedRedis server;
    private static RedisChangeBell bell;

    @BeforeAll
    static void start() {
        server = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory());
        bell = RedisChangeBell.connect(RedisSettings.of(server.uri()));
    }

    @AfterAll
    static void stop() {
        bell.close();
        server.close();
    }

    @Override
    ChangeBell bell() {
        return bell;
    }

    @Test
    void outageShowsAsANewSubscriptionAndRingingFailsUntilItIsOver() {
        Listener before = listen("e", Long.MAX_VALUE);
        before.awaitSubscribed(1);
        server.stop();
        await().untilAsserted(() ->
                assertThat(bell.isReachable().block(Duration.ofSeconds(10))).isFalse());
        assertThatThrownBy(() -> bell.publish(batch("e", 1, "x")).block(Duration.ofSeconds(10)))
                .isNotInstanceOf(IllegalStateException.class);
        Listener meanwhile = listen("f", Long.MAX_VALUE);
        server.restart();
        before.awaitSubscribed(2);
        meanwhile.awaitSubscribed(1);
        await().ignoreExceptions().until(() -> {
            bell.publish(batch("e", 2, "y")).block();
            return true;
        });
        bell.publish(batch("f", 1, "z")).block();
        await().untilAsserted(() -> assertThat(before.rings).endsWith(new Ring.Changes(batch("e", 2, "y"))));
        await().untilAsserted(() -> assertThat(meanwhile.rings).endsWith(new Ring.Changes(batch("f", 1, "z"))));
    }

    @Test
    void bellMayBeUsedBeforeThereIsAServer() {
        EmbeddedRedis late = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory());
        late.stop();
        try (RedisChangeBell early = RedisChangeBell.connect(RedisSettings.of(late.uri()))) {
            Listener listener = new Listener(Long.MAX_VALUE);
            early.listen(new dev.runcast.merge.ExecutionKey("t", "e")).subscribe(listener);
            assertThatThrownBy(() -> early.publish(batch("e", 1, "x")).block(Duration.ofSeconds(10)))
                    .isNotInstanceOf(IllegalStateException.class);
            late.restart();
            listener.awaitSubscribed(1);
        } finally {
            late.close();
        }
    }
}
