package dev.runcast.benchmarks.rival;

import dev.runcast.topics.ClientSettings;
import dev.runcast.topics.Topic;
import dev.runcast.v1.Ack;
import dev.runcast.v1.IngestServiceGrpc.IngestServiceImplBase;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The least that takes batches over gRPC and acks each when Kafka has it: parse, send, answer from the producer's
 * callback. It checks nothing, stamps nothing and keeps no order when a send fails.
 */
public final class BareLoop implements AutoCloseable {
    private final KafkaProducer<byte[], byte[]> producer;
    private final ExecutorService threads;
    private final Server server;

    /** Listens on a free port of the loopback interface, with the producer settings of the real door. */
    public BareLoop(ClientSettings kafka, int threadCount) throws IOException {
        producer = new KafkaProducer<>(kafka.producer("bare-loop", Duration.ZERO, Duration.ofSeconds(30)));
        threads = Executors.newFixedThreadPool(threadCount);
        server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .executor(threads)
                .maxInboundMessageSize(Topic.MAX_RECORD_BYTES)
                .addService(new Loop())
                .build()
                .start();
    }

    /** Where it listens. */
    public String target() {
        return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() throws InterruptedException {
        server.shutdownNow();
        server.awaitTermination(5, TimeUnit.SECONDS);
        producer.close(Duration.ofSeconds(5));
        threads.shutdownNow();
    }

    private final class Loop extends IngestServiceImplBase {
        @Override
        public StreamObserver<PublishUpdatesRequest> publishUpdates(StreamObserver<PublishUpdatesResponse> answers) {
            return new StreamObserver<>() {
                @Override
                public void onNext(PublishUpdatesRequest request) {
                    UpdateBatch batch = request.getBatch();
                    byte[] key = ("default/" + batch.getExecutionId()).getBytes(StandardCharsets.UTF_8);
                    var record = new ProducerRecord<>(Topic.UPDATES.topicName(), key, batch.toByteArray());
                    producer.send(record, (where, failure) -> {
                        synchronized (answers) {
                            if (failure == null) {
                                answers.onNext(ack(batch));
                            } else {
                                answers.onError(failure);
                            }
                        }
                    });
                }

                @Override
                public void onError(Throwable gone) {
                    // Nobody is left to answer.
                }

                @Override
                public void onCompleted() {
                    synchronized (answers) {
                        answers.onCompleted();
                    }
                }
            };
        }
    }

    private static PublishUpdatesResponse ack(UpdateBatch batch) {
        return PublishUpdatesResponse.newBuilder()
                .setAck(Ack.newBuilder()
                        .setExecutionId(batch.getExecutionId())
                        .setWriter(batch.getWriter())
                        .setEpoch(batch.getEpoch())
                        .setSequence(batch.getFirstSequence() + batch.getUpdatesCount() - 1))
                .build();
    }
}
