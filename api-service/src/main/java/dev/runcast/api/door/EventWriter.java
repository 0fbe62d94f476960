package dev.runcast.api.door;

import dev.runcast.api.watch.Frame;
import dev.runcast.doors.Failures;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import org.springframework.core.io.buffer.DataBuffer;
import org.springframework.core.io.buffer.DataBufferFactory;
import org.springframework.http.server.reactive.ServerHttpResponse;
import org.springframework.http.server.reactive.ServerHttpResponseDecorator;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.netty.FutureMono;
import reactor.netty.http.server.HttpServerResponse;

/**
 * Writes frames as server-sent events, one at a time: the next frame is asked for when the one before has gone to the
 * socket, so that a viewer who does not read holds up one frame, and the rest waits in the feed's ring.
 *
 * <p>How: the HTTP server asks for writes well ahead and takes whatever it gets into Netty's outbound buffer, which has
 * no bound. So what it is given ahead here are empty promises, and before one is kept, an empty buffer is written around
 * the HTTP codec: it is done when everything before it has left the buffer.
 */
final class EventWriter extends BaseSubscriber<Frame> {
    /** A browser that was cut comes back after a second. */
    private static final byte[] BEGINNING = "retry: 1000\n\n".getBytes(StandardCharsets.UTF_8);

    private final DataBufferFactory buffers;
    private final Mono<Void> room;
    private @Nullable MonoSink<DataBuffer> waiting;
    /** What came before anybody asked: only ever a failure. */
    private @Nullable DataBuffer early;

    private boolean over;

    private EventWriter(DataBufferFactory buffers, Mono<Void> room) {
        this.buffers = buffers;
        this.room = room;
    }

    /** Writes the frames as the body of a response, each flushed by itself. */
    static Mono<Void> write(Flux<Frame> frames, ServerHttpResponse response) {
        return response.writeAndFlushWith(writes(frames, response.bufferFactory(), room(response)));
    }

    /** Completes when the socket has taken everything written so far. */
    private static Mono<Void> room(ServerHttpResponse response) {
        HttpServerResponse server = ServerHttpResponseDecorator.getNativeResponse(response);
        // Called at once: a response that is being written has its connection.
        AtomicReference<Channel> channel = new AtomicReference<>();
        server.withConnection(connection -> channel.set(connection.channel()));
        return FutureMono.deferFuture(() -> Objects.requireNonNull(channel.get(), "the response's connection")
                .pipeline()
                .firstContext()
                .writeAndFlush(Unpooled.EMPTY_BUFFER));
    }

    private static Flux<Mono<DataBuffer>> writes(Flux<Frame> frames, DataBufferFactory buffers, Mono<Void> room) {
        return Flux.defer(() -> {
            EventWriter writer = new EventWriter(buffers, room);
            frames.subscribe(writer);
            Flux<Mono<DataBuffer>> events = Flux.generate(next -> {
                if (writer.isOver()) {
                    next.complete();
                } else {
                    next.next(Mono.create(writer::write));
                }
            });
            return Flux.concat(Mono.just(Mono.just(buffers.wrap(BEGINNING))), events)
                    .doFinally(end -> writer.cancel());
        });
    }

    @Override
    protected void hookOnSubscribe(Subscription subscription) {
        // Frames are asked for by writes.
    }

    @Override
    protected void hookOnNext(Frame frame) {
        // The bytes are shared by all viewers.
        give(buffers.wrap(frame.event()), false);
    }

    @Override
    protected void hookOnComplete() {
        give(null, true);
    }

    @Override
    protected void hookOnError(Throwable failure) {
        String status = Failures.json(Failures.status(failure)).replace("\n", "");
        byte[] event = ("event: failure\ndata: " + status + "\n\n").getBytes(StandardCharsets.UTF_8);
        give(buffers.wrap(event), true);
    }

    private synchronized boolean isOver() {
        return over && early == null;
    }

    private void write(MonoSink<DataBuffer> write) {
        DataBuffer event;
        synchronized (this) {
            event = early;
            early = null;
            waiting = over ? null : write;
        }
        if (event != null) {
            write.success(event);
        } else if (isOver()) {
            write.success();
        } else {
            room.subscribe(done -> {}, gone -> give(null, true), () -> request(1));
        }
    }

    private void give(@Nullable DataBuffer event, boolean last) {
        MonoSink<DataBuffer> write;
        synchronized (this) {
            over |= last;
            write = waiting;
            waiting = null;
            early = write == null ? event : null;
        }
        if (write != null) {
            write.success(event);
        }
    }
}
