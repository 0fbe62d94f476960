package dev.runcast.api;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Where the bell hangs.
 *
 * @param uri {@code redis://…} or {@code rediss://…}
 */
@ConfigurationProperties("runcast.redis")
record RedisAddress(@DefaultValue("redis://localhost:6379") String uri) {}
