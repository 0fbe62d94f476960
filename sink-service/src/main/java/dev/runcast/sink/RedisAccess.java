package dev.runcast.sink;

import dev.runcast.store.RingBuffer;
import dev.runcast.store.redis.RedisSettings;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where Redis is; see {@link RedisSettings}.
 *
 * @param uri {@code redis://…} or {@code rediss://…}
 * @param requestQueue how many commands may wait, 1 or greater
 * @param timeout how long a command, or a connection, may take
 */
@ConfigurationProperties("runcast.redis")
public record RedisAccess(
        @DefaultValue("redis://localhost:6379") String uri,
        @DefaultValue("10000") int requestQueue,
        @DefaultValue("5s") Duration timeout) {
    /** @throws IllegalArgumentException when a value has the wrong form or is out of range */
    public RedisAccess {
        new RedisSettings(uri, RingBuffer.DEFAULT_CAPACITY, requestQueue, timeout);
    }

    RedisSettings settings() {
        return new RedisSettings(uri, RingBuffer.DEFAULT_CAPACITY, requestQueue, timeout);
    }

    @Override
    public String toString() {
        return settings().toString();
    }
}
