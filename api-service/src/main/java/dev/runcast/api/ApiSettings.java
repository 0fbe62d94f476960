package dev.runcast.api;

import dev.runcast.api.watch.WatchSettings;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How the people's door is set up.
 *
 * @param address the address to listen on; other than loopback only with a token file
 * @param httpPort 1 to 65535, or 0 for a free one
 * @param grpcPort 1 to 65535, or 0 for a free one
 * @param tokenFile who may call; null means that only loopback is served, as tenant {@code default}
 * @param reflection whether gRPC reflection is served: for development
 * @param storeTimeout how long an answer of the store may take before a request fails as UNAVAILABLE
 * @param answerTimeout how long the answer to a request such as a cancel is waited for, 2 s or longer; then it fails as
 *     UNAVAILABLE and may be repeated
 * @param watch how watching is done
 */
@ConfigurationProperties("runcast.api")
public record ApiSettings(
        @DefaultValue("127.0.0.1") String address,
        @DefaultValue("8090") int httpPort,
        @DefaultValue("8091") int grpcPort,
        @Nullable Path tokenFile,
        @DefaultValue("true") boolean reflection,
        @DefaultValue("10s") Duration storeTimeout,
        @DefaultValue("5s") Duration answerTimeout,
        @DefaultValue Watch watch) {
    private static final Duration SHORTEST_ANSWER_TIMEOUT = Duration.ofSeconds(2);

    /** Checks the ranges. */
    public ApiSettings {
        requirePort("http-port", httpPort);
        requirePort("grpc-port", grpcPort);
        if (storeTimeout.isZero() || storeTimeout.isNegative()) {
            throw new IllegalArgumentException(
                    "runcast.api.store-timeout: %s (expected: longer than nothing)".formatted(storeTimeout));
        }
        if (answerTimeout.compareTo(SHORTEST_ANSWER_TIMEOUT) < 0) {
            throw new IllegalArgumentException("runcast.api.answer-timeout: %s (expected: %s or longer)"
                    .formatted(answerTimeout, SHORTEST_ANSWER_TIMEOUT));
        }
        watch.settings(storeTimeout);
    }

    /** How long the log may take: so much less that its own failure is heard before the answer is given up. */
    Duration deliveryTimeout() {
        return answerTimeout.multipliedBy(9).dividedBy(10);
    }

    /** How often the store is asked for an answer that the bell has not told. */
    Duration askEvery() {
        Duration quarter = watch.pollEvery().dividedBy(4);
        return quarter.toMillis() < 1 ? Duration.ofMillis(1) : quarter;
    }

    /**
     * How watching is done.
     *
     * @param pollEvery how often the store is asked for news of a watched execution: the longest that viewers wait when
     *     Redis is away
     * @param bookmarkEvery how often a viewer without news gets a sign of life
     * @param ringChanges how many changes are kept for slow viewers of an execution, 2 or greater
     * @param ringSize how large those may be together, 1 KB to 64 MB
     */
    public record Watch(
            @DefaultValue("1s") Duration pollEvery,
            @DefaultValue("10s") Duration bookmarkEvery,
            @DefaultValue("1024") int ringChanges,
            @DefaultValue("1MB") DataSize ringSize) {
        /** Checks the ranges. */
        public Watch {
            if (ringSize.compareTo(DataSize.ofKilobytes(1)) < 0 || ringSize.compareTo(DataSize.ofMegabytes(64)) > 0) {
                throw new IllegalArgumentException(
                        "runcast.api.watch.ring-size: %s (expected: 1KB to 64MB)".formatted(ringSize));
            }
        }

        WatchSettings settings(Duration storeTimeout) {
            return new WatchSettings(pollEvery, bookmarkEvery, ringChanges, ringSize.toBytes(), storeTimeout);
        }
    }

    private static void requirePort(String name, int port) {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("runcast.api.%s: %d (expected: 0 to 65535)".formatted(name, port));
        }
    }
}
