package dev.runcast.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.topics.KafkaSettings;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.util.unit.DataSize;

class SinkSettingsTest {
    @Test
    void defaultsAreWhatTheDocumentationSays() {
        assertThat(bind("runcast.sink", SinkSettings.class, Map.of()))
                .isEqualTo(new SinkSettings(
                        SinkSettings.Mode.SERVE,
                        "runcast-sink",
                        1,
                        1000,
                        DataSize.ofMegabytes(16),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(5)));
        assertThat(bind("runcast.mongo", MongoAccess.class, Map.of()))
                .isEqualTo(new MongoAccess("mongodb://localhost:27017", "runcast", true, Duration.ofSeconds(10)));
        assertThat(bind("runcast.redis", RedisAccess.class, Map.of()))
                .isEqualTo(new RedisAccess("redis://localhost:6379", 10_000, Duration.ofSeconds(5)));
        assertThat(bind("runcast.kafka", KafkaSettings.class, Map.of()))
                .isEqualTo(new KafkaSettings("localhost:9092", Map.of(), 4, 1, Duration.ofSeconds(30)));
    }

    @Test
    void whatIsOutOfRangeIsNamedWithItsValue() {
        assertRefused("concurrency", "0", "runcast.sink.concurrency: 0 (expected: 1 or greater)");
        assertRefused("max-poll-records", "-1", "runcast.sink.max-poll-records: -1 (expected: 1 or greater)");
        assertRefused("max-live-lag", "0s", "runcast.sink.max-live-lag: PT0S (expected: a millisecond or longer)");
        assertRefused("group", " ", "runcast.sink.group: empty (expected: a name)");
        assertThatThrownBy(() -> bind(
                        "runcast.mongo", MongoAccess.class, Map.of("runcast.mongo.uri", "http://secret@localhost")))
                .hasStackTraceContaining("MongoDB URI: another form (expected: mongodb://… or mongodb+srv://…)");
    }

    @Test
    void passwordsAreNotShown() {
        assertThat(new MongoAccess("mongodb://u:secret@h", "runcast", true, Duration.ofSeconds(1)).toString())
                .doesNotContain("secret");
        assertThat(new RedisAccess("redis://u:secret@h", 1, Duration.ofSeconds(1)).toString())
                .doesNotContain("secret");
    }

    private static void assertRefused(String name, String value, String message) {
        assertThatThrownBy(() -> bind("runcast.sink", SinkSettings.class, Map.of("runcast.sink." + name, value)))
                .hasStackTraceContaining(message);
    }

    private static <T> T bind(String prefix, Class<T> type, Map<String, String> properties) {
        return new Binder(new MapConfigurationPropertySource(properties)).bindOrCreate(prefix, type);
    }
}
