package dev.runcast.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.runcast.embedded.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TopicAdministrationIT {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path folder;

    @SuppressWarnings("NullAway.Init")
    static EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    static Admin admin;

    @BeforeAll
    static void start() {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        admin = Admin.create(new ClientSettings(kafka.bootstrapServers()).admin("test"));
    }

    @AfterAll
    static void stop() {
        admin.close();
        kafka.close();
    }

    @BeforeEach
    void removeTopics() throws Exception {
        List<String> present = List.copyOf(admin.listTopics().names().get(10, TimeUnit.SECONDS));
        admin.deleteTopics(present).all().get(10, TimeUnit.SECONDS);
        org.awaitility.Awaitility.await()
                .until(() ->
                        admin.listTopics().names().get(10, TimeUnit.SECONDS).isEmpty());
    }

    @Test
    void missingTopicsAreCreatedOnceHoweverManyStartAtTheSameTime() throws Exception {
        List<CompletableFuture<Map<Topic, Integer>>> starts = java.util.stream.IntStream.range(0, 4)
                .mapToObj(i -> CompletableFuture.supplyAsync(() -> ensure(TopicLayout.LOCAL)))
                .toList();
        for (CompletableFuture<Map<Topic, Integer>> start : starts) {
            assertThat(start.get(60, TimeUnit.SECONDS))
                    .hasSize(Topic.values().length)
                    .allSatisfy((topic, partitions) -> assertThat(partitions).isEqualTo(4));
        }
        // And what exists is left as it is.
        assertThat(ensure(new TopicLayout(9, 1)))
                .allSatisfy((topic, partitions) -> assertThat(partitions).isEqualTo(4));
    }

    @Test
    void missingCoPartitionedTopicGetsTheCountOfTheOneThatIsThere() throws Exception {
        create(Topic.UPDATES, 7, Map.of());
        assertThat(ensure(TopicLayout.LOCAL))
                .containsEntry(Topic.UPDATES, 7)
                .containsEntry(Topic.HEARTBEATS, 7)
                .containsEntry(Topic.CHANGES, 4);
    }

    @Test
    void differentPartitionCountsOfWhatIsReadSideBySideAreRefused() throws Exception {
        create(Topic.UPDATES, 3, Map.of());
        create(Topic.HEARTBEATS, 2, Map.of());
        assertThatThrownBy(() -> ensure(TopicLayout.LOCAL))
                .isInstanceOf(TopicMismatchException.class)
                .hasMessage("topic runcast.heartbeats.v1: 2 partitions (expected: 3, as runcast.updates.v1 has)");
    }

    @Test
    void logThatWouldBeCompactedIsRefused() throws Exception {
        create(Topic.UPDATES, 4, Map.of("cleanup.policy", "compact"));
        assertThatThrownBy(() -> ensure(TopicLayout.LOCAL))
                .hasMessage("topic runcast.updates.v1: cleanup.policy is compact (expected: delete)");
    }

    @Test
    void topicThatTakesTooSmallRecordsIsRefused() throws Exception {
        create(Topic.CHANGES, 4, Map.of("max.message.bytes", "1048588"));
        assertThatThrownBy(() -> ensure(TopicLayout.LOCAL))
                .hasMessage("topic runcast.changes.v1: max.message.bytes is 1048588 (expected: at least 37748736)");
    }

    @Test
    void shorterRetentionIsTheOperatorsChoice() throws Exception {
        create(Topic.UPDATES, 4, Map.of("retention.ms", "86400000"));
        assertThat(ensure(TopicLayout.LOCAL)).containsEntry(Topic.UPDATES, 4);
    }

    @Test
    void brokerThatDoesNotAnswerIsSaid() {
        assertThatThrownBy(() -> TopicAdministration.ensure(
                        new ClientSettings("127.0.0.1:1"), TopicLayout.LOCAL, Duration.ofMillis(500)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("no answer within PT0.5S");
    }

    private static Map<Topic, Integer> ensure(TopicLayout layout) {
        return new TopicAdministration(admin, TIMEOUT).ensure(layout);
    }

    /** As the table says, except for what the test wants otherwise. */
    private static void create(Topic topic, int partitions, Map<String, String> otherwise)
            throws InterruptedException, ExecutionException {
        Map<String, String> configs = topic.configs(1);
        configs.putAll(otherwise);
        if (otherwise.containsKey("cleanup.policy")) {
            configs.remove("retention.ms");
        }
        admin.createTopics(List.of(new NewTopic(topic.topicName(), partitions, (short) 1).configs(configs)))
                .all()
                .get();
    }
}
