package dev.runcast.store.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundHandlerAdapter;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.local.LocalAddress;
import io.netty.channel.local.LocalChannel;
import io.netty.channel.local.LocalIoHandler;
import io.netty.channel.local.LocalServerChannel;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FlushTogetherTest {
    private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, LocalIoHandler.newFactory());
    private final List<Object> arrived = new CopyOnWriteArrayList<>();
    private final AtomicInteger flushes = new AtomicInteger();
    private Channel channel;

    @BeforeEach
    void connect() throws InterruptedException {
        Channel server = new ServerBootstrap()
                .group(loop)
                .channel(LocalServerChannel.class)
                .childHandler(new Arrivals())
                .bind(LocalAddress.ANY)
                .sync()
                .channel();
        channel = new Bootstrap()
                .group(loop)
                .channel(LocalChannel.class)
                .handler(new ChannelInboundHandlerAdapter())
                .connect(server.localAddress())
                .sync()
                .channel();
        new FlushTogether().afterChannelInitialized(channel);
        channel.pipeline().addFirst(new Flushes());
    }

    @AfterEach
    void close() {
        loop.shutdownGracefully();
    }

    @Test
    void whatIsWrittenTogetherIsFlushedOnceAndInOrder() throws InterruptedException {
        write(0, 100);
        await().until(() -> arrived.size() == 100);
        assertThat(arrived).isEqualTo(IntStream.range(0, 100).boxed().toList());
        assertThat(flushes).hasValue(1);
    }

    @Test
    void noMoreThanSoManyWaitForTheRest() throws InterruptedException {
        int all = 2 * FlushTogether.MOST + 1;
        write(0, all);
        await().until(() -> arrived.size() == all);
        assertThat(arrived).isEqualTo(IntStream.range(0, all).boxed().toList());
        assertThat(flushes).hasValue(3);
    }

    @Test
    void oneAloneWaitsForNothing() throws InterruptedException {
        write(7, 8);
        await().until(() -> arrived.size() == 1);
        write(8, 9);
        await().until(() -> arrived.size() == 2);
        assertThat(flushes).hasValue(2);
    }

    /** In one turn of the channel's thread, as it takes what another has given it meanwhile. */
    private void write(int from, int to) throws InterruptedException {
        channel.eventLoop()
                .submit(() -> IntStream.range(from, to).forEach(i -> channel.writeAndFlush(i, channel.voidPromise())))
                .sync();
    }

    private final class Arrivals extends ChannelInboundHandlerAdapter {
        @Override
        public void channelRead(ChannelHandlerContext context, Object message) {
            arrived.add(message);
        }
    }

    private final class Flushes extends ChannelOutboundHandlerAdapter {
        @Override
        public void flush(ChannelHandlerContext context) {
            flushes.incrementAndGet();
            context.flush();
        }
    }
}
