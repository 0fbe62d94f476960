package dev.runcast.sink;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * How far one reader of a feed is, for meters and health. {@code runcast.sink.lag} is how old the newest record is that
 * was done with, in seconds, and 0 when none is left. Safe for use by many threads.
 */
final class FeedProgress {
    private final String feed;
    private final InstantSource clock;
    private final MeterRegistry registry;
    private volatile long newestMillis = Long.MAX_VALUE;
    private volatile @Nullable Failing failing;

    /** Since when it fails, and with what. */
    record Failing(Instant since, String error) {}

    FeedProgress(String feed, InstantSource clock, MeterRegistry registry) {
        this.feed = feed;
        this.clock = clock;
        this.registry = registry;
        Gauge.builder("runcast.sink.lag", this, progress -> progress.lag().toMillis() / 1000.0)
                .baseUnit("seconds")
                .tag("feed", feed)
                .register(registry);
    }

    /** One of the feed's counters. */
    Counter counter(String name) {
        return registry.counter("runcast.sink." + name, "feed", feed);
    }

    /** One of the feed's timers. */
    Timer timer(String name) {
        return registry.timer("runcast.sink." + name, "feed", feed);
    }

    /** All of these were done with. */
    void succeeded(List<ConsumerRecord<byte[], byte[]>> records, @Nullable Consumer<?, ?> consumer) {
        failing = null;
        long newest = Long.MIN_VALUE;
        for (ConsumerRecord<byte[], byte[]> record : records) {
            newest = Math.max(newest, record.timestamp());
        }
        newestMillis = remaining(consumer) == 0 ? Long.MAX_VALUE : newest;
    }

    /** They will be tried again. */
    void failed(Throwable error) {
        Failing before = failing;
        failing = new Failing(before == null ? clock.instant() : before.since(), error.toString());
        counter("failures").increment();
    }

    /** Since when it fails; null when it does not. */
    @Nullable
    Failing failing() {
        return failing;
    }

    String feed() {
        return feed;
    }

    Duration lag() {
        Failing now = failing;
        if (now != null) {
            return Duration.between(now.since(), clock.instant());
        }
        long newest = newestMillis;
        return newest == Long.MAX_VALUE ? Duration.ZERO : Duration.ofMillis(Math.max(0, clock.millis() - newest));
    }

    private static long remaining(@Nullable Consumer<?, ?> consumer) {
        long remaining = 0;
        if (consumer != null) {
            for (TopicPartition partition : consumer.assignment()) {
                OptionalLong lag = consumer.currentLag(partition);
                remaining += lag.orElse(0);
            }
        }
        return remaining;
    }
}
