package dev.runcast.sink;

import dev.runcast.embedded.EmbeddedKafka;
import dev.runcast.embedded.EmbeddedMongo;
import dev.runcast.embedded.EmbeddedRedis;
import dev.runcast.store.mongo.MongoExecutionStore;
import dev.runcast.store.mongo.MongoSettings;
import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.RecordCodec;
import dev.runcast.topics.Topic;
import dev.runcast.topics.TopicAdministration;
import dev.runcast.topics.TopicLayout;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.UpdateBatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.boot.WebApplicationType;
import org.springframework.context.ConfigurableApplicationContext;

/** Kafka, MongoDB and Redis, whoever writes the feeds, and the sink between them. */
final class SinkServers implements AutoCloseable {
    final EmbeddedKafka kafka;
    final EmbeddedMongo mongo;
    final EmbeddedRedis redis;
    private final KafkaProducer<byte[], byte[]> producer;

    SinkServers(Path folder) {
        kafka = EmbeddedKafka.start(EmbeddedKafka.Config.in(folder.resolve("kafka")));
        mongo = EmbeddedMongo.start(EmbeddedMongo.Config.in(folder.resolve("mongo")));
        redis = EmbeddedRedis.start(EmbeddedRedis.Config.inMemory());
        TopicAdministration.ensure(clients(), TopicLayout.LOCAL, Duration.ofSeconds(30));
        producer = new KafkaProducer<>(clients().producer("feeds", Duration.ZERO, Duration.ofSeconds(30)));
    }

    ClientSettings clients() {
        return new ClientSettings(kafka.bootstrapServers());
    }

    /** A store of the test's own, beside the sink's. */
    MongoExecutionStore store() {
        return MongoExecutionStore.connect(
                new MongoSettings(mongo.connectionString(), "runcast", false, Duration.ofSeconds(10)));
    }

    ConfigurableApplicationContext startSink(String group) {
        return SinkApplication.builder().web(WebApplicationType.NONE).run(arguments(group));
    }

    String[] arguments(String group) {
        return new String[] {
            "--runcast.kafka.bootstrap-servers=" + kafka.bootstrapServers(),
            "--runcast.mongo.uri=" + mongo.connectionString(),
            "--runcast.mongo.version-guard=false",
            "--runcast.mongo.timeout=2s",
            "--runcast.redis.uri=" + redis.uri(),
            "--runcast.redis.timeout=2s",
            "--runcast.sink.group=" + group,
        };
    }

    void feed(RunLog run) {
        run.changes().forEach(this::feed);
    }

    void feed(ChangeBatch batch) {
        send(RecordCodec.CHANGES.record(batch));
    }

    void feed(RejectedUpdate rejected) {
        send(RecordCodec.REJECTED.record(rejected));
    }

    void log(UpdateBatch batch) {
        send(RecordCodec.UPDATES.record(batch));
    }

    void send(ProducerRecord<byte[], byte[]> record) {
        producer.send(record);
    }

    void poison(Topic topic, int partition, byte[] key, byte[] value) {
        producer.send(new ProducerRecord<>(topic.topicName(), partition, key, value));
    }

    /** Begins a transaction, writes, and leaves it open until the producer is closed, which aborts it. */
    KafkaProducer<byte[], byte[]> transaction(String id) {
        Map<String, Object> settings = clients().producer(id, Duration.ZERO, Duration.ofSeconds(30));
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, id);
        KafkaProducer<byte[], byte[]> transactional = new KafkaProducer<>(settings);
        transactional.initTransactions();
        transactional.beginTransaction();
        return transactional;
    }

    void flush() {
        producer.flush();
    }

    @Override
    public void close() {
        producer.close();
        redis.close();
        mongo.close();
        kafka.close();
    }
}
