package dev.runcast.mergestream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.runcast.embedded.EmbeddedKafka;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.ConfigurableApplicationContext;

class MergeStreamApplicationIT {
    @TempDir
    static Path folder;

    private static EmbeddedKafka kafka;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
    }

    @AfterAll
    static void stop() {
        kafka.close();
    }

    @Test
    void itServesItsHealthAndItsCounters() throws Exception {
        try (ConfigurableApplicationContext service = MergeStreamApplication.builder()
                .run(
                        "--server.port=0",
                        "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                        "--runcast.merge.application-id=with-web",
                        "--runcast.merge.state-directory=" + folder.resolve("with-web"))) {
            String port = service.getEnvironment().getRequiredProperty("local.server.port");
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> get(port, "/actuator/health/readiness").statusCode() == 200);
            HttpResponse<String> liveness = get(port, "/actuator/health/liveness");
            assertThat(liveness.statusCode()).isEqualTo(200);
            assertThat(liveness.body()).contains("streamThreads");
            assertThat(get(port, "/actuator/metrics/runcast.merge.batches").statusCode())
                    .isEqualTo(200);
            assertThat(get(port, "/actuator/metrics/kafka.stream.alive.stream.threads")
                            .body())
                    .contains("\"value\":2.0");
        }
    }

    @Test
    void itRunsWithoutAWebServerBesideOthers() {
        try (ConfigurableApplicationContext service = MergeStreamApplication.builder()
                .web(WebApplicationType.NONE)
                .run(
                        "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
                        "--runcast.merge.application-id=without-web",
                        "--runcast.merge.threads=1",
                        "--runcast.merge.state-directory=" + folder.resolve("without-web"))) {
            assertThat(service.getBean(MergeStreams.class).isRunning()).isTrue();
        }
    }

    @Test
    void aBrokerThatIsNotThereIsNamed() {
        assertThatThrownBy(() -> MergeStreamApplication.builder()
                        .web(WebApplicationType.NONE)
                        .run("--runcast.kafka.bootstrap-servers=127.0.0.1:1", "--runcast.kafka.timeout=2s")
                        .close())
                .hasStackTraceContaining("Kafka: no answer within PT2S");
    }

    private static HttpResponse<String> get(String port, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                                .build(),
                        BodyHandlers.ofString());
    }
}
