package dev.runcast.store.redis;

import io.lettuce.core.resource.NettyCustomizer;
import io.netty.channel.Channel;
import io.netty.handler.flush.FlushConsolidationHandler;

/** The rings of one poll are given one by one; each would be a write to the socket of its own. Thread-safe. */
final class FlushTogether implements NettyCustomizer {
    /** At most so many wait for the others. */
    static final int MOST = 256;

    @Override
    public void afterChannelInitialized(Channel channel) {
        channel.pipeline().addFirst(new FlushConsolidationHandler(MOST, true));
    }
}
