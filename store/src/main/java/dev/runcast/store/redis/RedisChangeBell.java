package dev.runcast.store.redis;

import dev.runcast.merge.ExecutionKey;
import dev.runcast.store.ChangeBell;
import dev.runcast.store.Ring;
import dev.runcast.store.RingBuffer;
import dev.runcast.store.RingCodec;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.codec.RedisCodec;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import io.lettuce.core.resource.Delay;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;
import reactor.core.scheduler.Schedulers;
import reactor.util.retry.Retry;

/**
 * The bell on Redis, through Lettuce.
 *
 * <p>Everybody who listens shares one connection and, for one channel, one subscription, which ends with the last of
 * them. The connection's thread only hands rings to {@link RingBuffer}s; listeners run elsewhere. Lettuce subscribes
 * again by itself after an outage and confirms each channel, which is what becomes {@link Ring.Subscribed}. Ringing
 * fails while there is no connection: who rings decides whether to wait.
 */
public final class RedisChangeBell implements ChangeBell, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RedisChangeBell.class);
    private static final RedisCodec<String, byte[]> CODEC = RedisCodec.of(StringCodec.UTF8, ByteArrayCodec.INSTANCE);
    private static final Retry UNTIL_IT_IS_BACK =
            Retry.backoff(Long.MAX_VALUE, Duration.ofMillis(50)).maxBackoff(Duration.ofSeconds(2));

    /** So small since what waits in it is beside the buffer's own bound. */
    private static final int HANDED_OVER = 16;

    // Lettuce's own longest pause is half a minute, in which every viewer would poll.
    private static final Duration SOONEST_RECONNECT = Duration.ofMillis(50);
    private static final Duration LATEST_RECONNECT = Duration.ofSeconds(2);

    private final ClientResources resources;
    private final RedisClient ringing;
    private final RedisClient listening;
    private final int bufferedRings;
    private final Mono<StatefulRedisConnection<String, byte[]>> ringingConnection;
    private final Mono<StatefulRedisPubSubConnection<String, byte[]>> listeningConnection;
    private final ConcurrentMap<String, Channel> channels = new ConcurrentHashMap<>();
    private final Sinks.Empty<Void> closed = Sinks.empty();

    private RedisChangeBell(RedisSettings settings) {
        RedisURI uri = RedisURI.create(settings.uri());
        uri.setTimeout(settings.timeout());
        bufferedRings = settings.bufferedRings();
        // Ringing for those who are not connected is of no use later; subscribing is.
        resources = DefaultClientResources.builder()
                .reconnectDelay(() -> Delay.fullJitter(
                        SOONEST_RECONNECT, LATEST_RECONNECT, SOONEST_RECONNECT.toMillis(), TimeUnit.MILLISECONDS))
                .nettyCustomizer(new FlushTogether())
                .build();
        ringing = client(resources, settings, ClientOptions.DisconnectedBehavior.REJECT_COMMANDS);
        listening = client(resources, settings, ClientOptions.DisconnectedBehavior.ACCEPT_COMMANDS);
        ringingConnection = kept(() -> ringing.connectAsync(CODEC, uri));
        listeningConnection =
                kept(() -> listening.connectPubSubAsync(CODEC, uri).thenApply(connection -> {
                    connection.addListener(new Receiver());
                    return connection;
                }));
    }

    /** A bell that connects when it is first used, and keeps trying. */
    public static RedisChangeBell connect(RedisSettings settings) {
        return new RedisChangeBell(settings);
    }

    @Override
    public Mono<Void> publish(ChangeBatch batch) {
        ExecutionKey key = new ExecutionKey(batch.getTenant(), batch.getExecutionId());
        return publish(RingCodec.channel(key), () -> RingCodec.encode(batch));
    }

    @Override
    public Mono<Void> publishRow(Execution row) {
        return publish(RingCodec.channel(row.getTenant()), row::toByteArray);
    }

    @Override
    public Flux<Ring> listen(ExecutionKey key) {
        return listen(RingCodec.channel(key), RingCodec::decodeChanges);
    }

    @Override
    public Flux<Ring> listenRows(String tenant) {
        return listen(RingCodec.channel(tenant), RingCodec::decodeRow);
    }

    /** Whether the server answers now. */
    public Mono<Boolean> isReachable() {
        return ringingConnection
                .flatMap(connection ->
                        Mono.fromCompletionStage(connection.async().ping()))
                .map("PONG"::equals)
                .onErrorReturn(false);
    }

    @Override
    public void close() {
        closed.tryEmitEmpty();
        ringing.shutdown(Duration.ZERO, Duration.ofSeconds(2));
        listening.shutdown(Duration.ZERO, Duration.ofSeconds(2));
        resources.shutdown(0, 2, TimeUnit.SECONDS);
    }

    private static RedisClient client(
            ClientResources resources, RedisSettings settings, ClientOptions.DisconnectedBehavior whenDown) {
        RedisClient client = RedisClient.create(resources);
        client.setOptions(ClientOptions.builder()
                .autoReconnect(true)
                .disconnectedBehavior(whenDown)
                .requestQueueSize(settings.requestQueue())
                .timeoutOptions(TimeoutOptions.enabled(settings.timeout()))
                .socketOptions(SocketOptions.builder()
                        .connectTimeout(settings.timeout())
                        .keepAlive(true)
                        .build())
                .build());
        return client;
    }

    /** The one connection once there is one; until then each use tries. */
    private static <T> Mono<T> kept(Supplier<CompletionStage<T>> connect) {
        return Mono.defer(() -> Mono.fromCompletionStage(connect.get()))
                .cache(connection -> Duration.ofMillis(Long.MAX_VALUE), error -> Duration.ZERO, () -> Duration.ZERO);
    }

    private Mono<Void> publish(String channel, Supplier<byte[]> message) {
        return ringingConnection
                .flatMap(connection ->
                        Mono.fromCompletionStage(() -> connection.async().publish(channel, message.get())))
                .then();
    }

    private Flux<Ring> listen(String name, Function<byte[], Ring> decoder) {
        return Flux.defer(() -> {
            RingBuffer buffer = new RingBuffer(bufferedRings);
            channels.compute(name, (same, before) -> {
                Channel channel = before == null ? new Channel(decoder, ConcurrentHashMap.newKeySet()) : before;
                channel.listeners.add(buffer);
                if (before == null) {
                    command(name, connection -> connection.async().subscribe(name));
                } else if (channel.confirmed) {
                    buffer.offer(new Ring.Subscribed());
                }
                return channel;
            });
            return buffer.rings().doFinally(end -> leave(name, buffer)).publishOn(Schedulers.parallel(), HANDED_OVER);
        });
    }

    private void leave(String name, RingBuffer buffer) {
        channels.computeIfPresent(name, (same, channel) -> {
            channel.listeners.remove(buffer);
            if (!channel.listeners.isEmpty()) {
                return channel;
            }
            command(name, connection -> connection.async().unsubscribe(name));
            return null;
        });
    }

    /** Commands of one channel are given in order, since each is given while the map's entry is held. */
    private void command(
            String name, Function<StatefulRedisPubSubConnection<String, byte[]>, CompletionStage<Void>> command) {
        listeningConnection
                .flatMap(connection -> Mono.fromCompletionStage(() -> command.apply(connection)))
                .doOnError(error -> LOG.warn("channel {}: {}; trying again", name, error.toString()))
                .retryWhen(UNTIL_IT_IS_BACK)
                .takeUntilOther(closed.asMono())
                .subscribe();
    }

    private static final class Channel {
        private final Function<byte[], Ring> decoder;
        private final Set<RingBuffer> listeners;
        private volatile boolean confirmed;

        Channel(Function<byte[], Ring> decoder, Set<RingBuffer> listeners) {
            this.decoder = decoder;
            this.listeners = listeners;
        }

        void offer(Ring ring) {
            listeners.forEach(listener -> listener.offer(ring));
        }
    }

    private final class Receiver extends RedisPubSubAdapter<String, byte[]> {
        @Override
        public void subscribed(String name, long count) {
            // Waits for the listener that gave the command: its entry is not in the map before it has given it, and the
            // confirmation may be faster.
            channels.computeIfPresent(name, (same, channel) -> {
                channel.confirmed = true;
                channel.offer(new Ring.Subscribed());
                return channel;
            });
        }

        @Override
        public void message(String name, byte[] message) {
            Channel channel = channels.get(name);
            if (channel != null) {
                channel.offer(channel.decoder.apply(message));
            }
        }
    }
}
