package dev.runcast.benchmarks.rival;

import static com.mongodb.client.model.Filters.eq;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import com.mongodb.client.model.ReplaceOptions;
import com.mongodb.reactivestreams.client.MongoClient;
import com.mongodb.reactivestreams.client.MongoClients;
import com.mongodb.reactivestreams.client.MongoCollection;
import dev.runcast.v1.IngestServiceGrpc.IngestServiceImplBase;
import dev.runcast.v1.PublishUpdateRequest;
import dev.runcast.v1.PublishUpdateResponse;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.lettuce.core.RedisClient;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.bson.Document;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;
import reactor.netty.http.server.HttpServerRequest;
import reactor.netty.http.server.HttpServerResponse;

/**
 * The design that Runcast replaces, written as well as it can be: a runner's call loads the execution's document, merges
 * the update into it, replaces the document and publishes the update through Redis to whoever watches; then it is
 * answered. Nothing blocks a thread, calls of one execution wait for each other so that none is lost in this process,
 * and what is published is the update, not the document. The server ends with its standard input.
 */
public final class DirectDesign {
    private static final String CHANNEL = "direct:";

    private final MongoCollection<Document> executions;
    private final StatefulRedisConnection<String, String> publisher;
    private final Map<String, CompletableFuture<Void>> tails = new ConcurrentHashMap<>();
    private final Map<String, Sinks.Many<String>> watched = new ConcurrentHashMap<>();

    private DirectDesign(MongoCollection<Document> executions, RedisClient redis) {
        this.executions = executions;
        this.publisher = redis.connect();
        StatefulRedisPubSubConnection<String, String> subscriber = redis.connectPubSub();
        subscriber.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String pattern, String channel, String message) {
                Sinks.Many<String> viewers = watched.get(channel.substring(CHANNEL.length()));
                if (viewers != null) {
                    viewers.tryEmitNext(message);
                }
            }
        });
        subscriber.sync().psubscribe(CHANNEL + "*");
    }

    /** Runs with the addresses of MongoDB and Redis; prints {@code listening GRPC-PORT HTTP-PORT}. */
    public static void main(String[] addresses) throws IOException {
        MongoClient mongo = MongoClients.create(addresses[0]);
        RedisClient redis = RedisClient.create(addresses[1]);
        DirectDesign design = new DirectDesign(mongo.getDatabase("direct").getCollection("executions"), redis);
        Server door = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .directExecutor()
                .addService(design.new Door())
                .build()
                .start();
        DisposableServer http = HttpServer.create()
                .host("127.0.0.1")
                .port(0)
                .route(routes -> routes.get("/v1/executions/{id}", design::read))
                .bindNow();
        System.out.println("listening " + door.getPort() + " " + http.port());
        System.out.flush();
        while (System.in.read() >= 0) {
            // Whoever started this closes it.
        }
        System.exit(0);
    }

    private final class Door extends IngestServiceImplBase {
        @Override
        public void publishUpdate(PublishUpdateRequest request, StreamObserver<PublishUpdateResponse> answer) {
            inTurn(request.getBatch()).whenComplete((done, failure) -> {
                if (failure == null) {
                    answer.onNext(PublishUpdateResponse.getDefaultInstance());
                    answer.onCompleted();
                } else {
                    answer.onError(Status.UNAVAILABLE.withCause(failure).asException());
                }
            });
        }
    }

    private CompletableFuture<Void> inTurn(UpdateBatch batch) {
        String id = batch.getExecutionId();
        CompletableFuture<Void> mine = tails.compute(
                id,
                (same, before) -> before == null
                        ? apply(batch)
                        : before.handle((done, failure) -> null).thenCompose(next -> apply(batch)));
        mine.whenComplete((done, failure) -> tails.remove(id, mine));
        return mine;
    }

    private CompletableFuture<Void> apply(UpdateBatch batch) {
        String id = batch.getExecutionId();
        return Mono.from(executions.find(eq("_id", id)).first())
                .defaultIfEmpty(DirectMerge.begin(id))
                .flatMap(document -> {
                    batch.getUpdatesList().forEach(update -> DirectMerge.merge(document, update));
                    return Mono.from(executions.replaceOne(eq("_id", id), document, new ReplaceOptions().upsert(true)))
                            .then(publish(id, document, batch.getUpdates(batch.getUpdatesCount() - 1)));
                })
                .then()
                .toFuture();
    }

    private Mono<Long> publish(String id, Document document, Update update) {
        try {
            String json = JsonFormat.printer().omittingInsignificantWhitespace().print(update);
            return publisher
                    .reactive()
                    .publish(
                            CHANNEL + id,
                            "{\"version\":\"" + document.getLong("version") + "\",\"update\":" + json + "}");
        } catch (InvalidProtocolBufferException e) {
            return Mono.error(e);
        }
    }

    private Publisher<Void> read(HttpServerRequest request, HttpServerResponse response) {
        String name = String.valueOf(request.param("id"));
        boolean watch = name.endsWith(":watch");
        String id = watch ? name.substring(0, name.length() - ":watch".length()) : name;
        Mono<String> stored = Mono.from(executions.find(eq("_id", id)).first())
                .map(document -> "{\"version\":\"" + document.getLong("version") + "\"}");
        if (!watch) {
            return response.header("Content-Type", "application/json").sendString(stored);
        }
        Flux<String> live = Flux.defer(() -> watched.computeIfAbsent(
                        id, first -> Sinks.many().multicast().directBestEffort())
                .asFlux()
                .onBackpressureBuffer());
        Flux<ByteBuf> events =
                Flux.merge(stored.map(json -> event("snapshot", json)), live.map(json -> event("change", json)));
        return response.sse().send(events, each -> true);
    }

    private static ByteBuf event(String name, String json) {
        return Unpooled.wrappedBuffer(("event: " + name + "\ndata: " + json + "\n\n").getBytes(StandardCharsets.UTF_8));
    }
}
