package dev.runcast.embedded;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.utils.Exit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedKafkaIT {

    @TempDir
    Path folder;

    @Test
    void recordsAndGroupOffsetsAreThereAfterARestart() throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            KafkaClients clients = new KafkaClients(kafka);
            clients.createTopic("t", Map.of());
            clients.produce("t", "one", "two");
            assertThat(clients.consume("t", "group", 2)).containsExactly("one", "two");

            kafka.stop();
            assertThat(FreePorts.isFree(kafka.port())).isTrue();
            kafka.restart();

            clients.produce("t", "three");
            assertThat(clients.consume("t", "group", 1)).containsExactly("three");
            assertThat(clients.consume("t", "another", 3)).containsExactly("one", "two", "three");
            assertThat(kafka.info().address()).isEqualTo(kafka.bootstrapServers());
            assertThat(kafka.info().startup()).isPositive();
        }
    }

    @Test
    void aNewServerGoesOnWithTheFolderOfAClosedOne() throws Exception {
        int port;
        try (EmbeddedKafka first = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            port = first.port();
            new KafkaClients(first).createTopic("t", Map.of());
            new KafkaClients(first).produce("t", "kept");
        }
        try (EmbeddedKafka second = EmbeddedKafka.start(new EmbeddedKafka.Config(folder, port))) {
            assertThat(second.bootstrapServers()).isEqualTo("127.0.0.1:" + port);
            assertThat(new KafkaClients(second).consume("t", "group", 1)).containsExactly("kept");
        }
    }

    @Test
    void transactionsCommitAndAbort() throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            KafkaClients clients = new KafkaClients(kafka);
            clients.createTopic("t", Map.of());
            try (KafkaProducer<String, String> producer = clients.producer(Map.of("transactional.id", "writer"))) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("t", "aborted")).get(15, TimeUnit.SECONDS);
                producer.abortTransaction();
                producer.beginTransaction();
                producer.send(new ProducerRecord<>("t", "committed")).get(15, TimeUnit.SECONDS);
                producer.commitTransaction();
            }
            assertThat(clients.consume("t", "group", 1)).containsExactly("committed");
        }
    }

    @Test
    void twoRunInOneProcessAndTheSecondOutlivesTheFirst() throws Exception {
        try (EmbeddedKafka first = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("a")));
                EmbeddedKafka second = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("b")))) {
            new KafkaClients(first).createTopic("t", Map.of());
            new KafkaClients(second).createTopic("t", Map.of());
            new KafkaClients(first).produce("t", "in the first");
            first.stop();
            new KafkaClients(second).produce("t", "in the second");
            assertThat(new KafkaClients(second).consume("t", "group", 1)).containsExactly("in the second");
        }
    }

    @Test
    void aRecordOfFourMebibytesPasses() throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            KafkaClients clients = new KafkaClients(kafka);
            clients.createTopic("t", Map.of());
            String large = "x".repeat(KafkaClients.LARGEST_RECORD);
            clients.produce("t", large);
            assertThat(clients.consume("t", "group", 1)).containsExactly(large);
        }
    }

    @Test
    void writingToATopicThatDoesNotExistCreatesNone() {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder));
                KafkaProducer<String, String> producer =
                        new KafkaClients(kafka).producer(Map.of("max.block.ms", "1000"))) {
            assertThat(kafka.failure()).isEmpty();
            assertThatThrownBy(() -> producer.partitionsFor("nowhere")).isInstanceOf(TimeoutException.class);
        }
    }

    @Test
    void aBrokerThatGivesUpDoesNotEndThisProcess() {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            assertThatThrownBy(() -> Exit.halt(1, "the disk is full")).hasMessageContaining("the disk is full");
            assertThat(kafka.failure())
                    .hasValueSatisfying(reason -> assertThat(reason).contains("halt", "status 1", "the disk is full"));
            kafka.restart();
            assertThat(kafka.failure()).isEmpty();
        }
    }

    @Test
    void aTakenPortIsNamed() throws Exception {
        try (ServerSocket other = new ServerSocket()) {
            other.bind(new InetSocketAddress(FreePorts.loopback(), FreePorts.free()));
            assertThatThrownBy(() -> EmbeddedKafka.start(new EmbeddedKafka.Config(folder, other.getLocalPort())))
                    .isInstanceOf(EmbeddedServerException.class)
                    .hasMessageContaining("Kafka port: " + other.getLocalPort() + " is taken")
                    .hasMessageContaining("expected: ");
        }
    }

    @Test
    void aFolderThatCannotBeMadeIsNamed() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        assertThatThrownBy(() -> EmbeddedKafka.start(EmbeddedKafka.Config.in(file.resolve("data"))))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining(file.resolve("data").toString())
                .hasMessageContaining("expected: a folder that can be created and written");
    }

    @Test
    void aFolderInUseIsRefused() {
        try (EmbeddedKafka first = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            assertThat(first.isRunning()).isTrue();
            assertThatThrownBy(() -> EmbeddedKafka.start(EmbeddedKafka.Config.in(folder)))
                    .isInstanceOf(EmbeddedServerException.class)
                    .hasMessageContaining(
                            "is in use by process " + ProcessHandle.current().pid());
        }
    }

    @Test
    void theFolderOfAnotherClusterIsRefusedAndLeftAlone() throws Exception {
        Path meta = Files.writeString(
                folder.resolve("meta.properties"), "version=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\nnode.id=1\n");
        String before = Files.readString(meta);
        assertThatThrownBy(() -> EmbeddedKafka.start(EmbeddedKafka.Config.in(folder)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("cluster.id=4L6g3nShT-eMCtK--X86sw")
                .hasMessageContaining("expected: " + KafkaFolder.CLUSTER_ID);
        assertThat(Files.readString(meta)).isEqualTo(before);
    }

    @Test
    void theFolderOfAnotherFormatIsRefused() throws Exception {
        Files.writeString(
                folder.resolve("meta.properties"), "version=7\ncluster.id=" + KafkaFolder.CLUSTER_ID + "\nnode.id=1\n");
        assertThatThrownBy(() -> EmbeddedKafka.start(EmbeddedKafka.Config.in(folder)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("version=7 (expected: 1;");
    }

    @Test
    void theFolderOfANewerKafkaIsRefused() throws Exception {
        try (EmbeddedKafka kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder))) {
            assertThat(kafka.dataFolder()).isEqualTo(folder);
        }
        Files.writeString(folder.resolve("kafka.version"), "99.0.0");
        assertThatThrownBy(() -> EmbeddedKafka.start(EmbeddedKafka.Config.in(folder)))
                .isInstanceOf(EmbeddedServerException.class)
                .hasMessageContaining("99.0.0 (expected: 4.3.1 or older");
    }

    @Test
    void whatWasAcknowledgedSurvivesAKillOfTheProcess() throws Exception {
        int port = FreePorts.free();
        try (OtherProcess killed =
                OtherProcess.run(KafkaUntilKilled.class, folder.toString(), Integer.toString(port))) {
            killed.awaitLine("acknowledged");
            killed.kill();
        }
        try (EmbeddedKafka kafka = EmbeddedKafka.start(new EmbeddedKafka.Config(folder, port))) {
            KafkaClients clients = new KafkaClients(kafka);
            clients.produce("t", "after");
            assertThat(clients.consume("t", "group", 2)).containsExactly("before", "after");
        }
    }

    /** Runs a broker until somebody kills it. */
    static final class KafkaUntilKilled {

        public static void main(String[] arguments) throws Exception {
            EmbeddedKafka kafka = EmbeddedKafka.start(
                    new EmbeddedKafka.Config(Path.of(arguments[0]), Integer.parseInt(arguments[1])));
            KafkaClients clients = new KafkaClients(kafka);
            clients.createTopic("t", Map.of());
            clients.produce("t", "before");
            clients.consume("t", "group before", 1);
            System.out.println("acknowledged");
            Thread.currentThread().join();
        }
    }
}
