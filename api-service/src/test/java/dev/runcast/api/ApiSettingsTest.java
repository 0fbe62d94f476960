package dev.runcast.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.api.watch.WatchSettings;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

class ApiSettingsTest {
    @Test
    void defaultsAreWhatTheDocumentationSays() {
        ApiSettings settings = bound(Map.of());
        assertThat(settings.address()).isEqualTo("127.0.0.1");
        assertThat(settings.httpPort()).isEqualTo(8090);
        assertThat(settings.grpcPort()).isEqualTo(8091);
        assertThat(settings.tokenFile()).isNull();
        assertThat(settings.reflection()).isTrue();
        assertThat(settings.storeTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(settings.watch().settings(settings.storeTimeout())).isEqualTo(WatchSettings.DEFAULT);
        MongoAddress mongo = new Binder(new MapConfigurationPropertySource(Map.of()))
                .bindOrCreate("runcast.mongo", MongoAddress.class);
        assertThat(mongo).isEqualTo(new MongoAddress("mongodb://localhost:27017", "runcast", Duration.ofSeconds(10)));
        RedisAddress redis = new Binder(new MapConfigurationPropertySource(Map.of()))
                .bindOrCreate("runcast.redis", RedisAddress.class);
        assertThat(redis).isEqualTo(new RedisAddress("redis://localhost:6379"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            runcast.api.http-port           | 65536 | http-port: 65536 (expected: 0 to 65535)
            runcast.api.grpc-port           | -1    | grpc-port: -1 (expected: 0 to 65535)
            runcast.api.store-timeout       | 0s    | store-timeout: PT0S (expected: longer than nothing)
            runcast.api.watch.poll-every    | 0s    | poll-every: PT0S (expected: longer than 0)
            runcast.api.watch.bookmark-every | -1s  | bookmark-every: PT-1S (expected: longer than 0)
            runcast.api.watch.ring-changes  | 1     | ring-changes: 1 (expected: 2 or greater)
            runcast.api.watch.ring-size     | 1B    | ring-size: 1B (expected: 1KB to 64MB)
            """)
    void wrongSettingIsRefusedByName(String name, String value, String message) {
        assertThatThrownBy(() -> bound(Map.of(name, value))).hasStackTraceContaining(message);
    }

    private static ApiSettings bound(Map<String, String> properties) {
        return new Binder(new MapConfigurationPropertySource(properties))
                .bindOrCreate("runcast.api", ApiSettings.class);
    }
}
