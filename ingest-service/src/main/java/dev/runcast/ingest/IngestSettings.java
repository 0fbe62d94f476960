package dev.runcast.ingest;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * How the runners' door is set up.
 *
 * @param address the address to listen on; other than loopback only with a token file
 * @param port 1 to 65535, or 0 for a free one
 * @param tokenFile who may call; null means that only loopback is served, as tenant {@code default}
 * @param reflection whether gRPC reflection is served: for development
 * @param threads that validate and serialize; 0 means twice the processors, at least 4
 * @param inFlight how much may be on its way to the log
 * @param linger how long the producer may hold a record back for company
 * @param deliveryTimeout after this an update that is not durable is refused as UNAVAILABLE, to be sent again
 * @param drainTimeout the longest that a stop waits for updates that are on their way
 * @param writersPerStream how many writers of executions one stream may have at once, 1 or greater; those
 *     that are idle are forgotten first
 * @param connection when connections are closed
 */
@ConfigurationProperties("runcast.ingest")
public record IngestSettings(
        @DefaultValue("127.0.0.1") String address,
        @DefaultValue("8080") int port,
        @Nullable Path tokenFile,
        @DefaultValue("true") boolean reflection,
        @DefaultValue("0") int threads,
        @DefaultValue InFlightSettings inFlight,
        @DefaultValue("0ms") Duration linger,
        @DefaultValue("30s") Duration deliveryTimeout,
        @DefaultValue("10s") Duration drainTimeout,
        @DefaultValue("4096") int writersPerStream,
        @DefaultValue ConnectionSettings connection) {
    /** Checks the ranges. */
    public IngestSettings {
        if (port < 0 || port > 65_535) {
            throw new IllegalArgumentException("runcast.ingest.port: " + port + " (expected: 0 to 65535)");
        }
        if (threads < 0) {
            throw new IllegalArgumentException("runcast.ingest.threads: " + threads + " (expected: 0 or greater)");
        }
        if (writersPerStream < 1) {
            throw new IllegalArgumentException(
                    "runcast.ingest.writers-per-stream: " + writersPerStream + " (expected: 1 or greater)");
        }
        if (linger.isNegative() || linger.toMillis() > 1000) {
            throw new IllegalArgumentException("runcast.ingest.linger: " + linger + " (expected: 0ms to 1s)");
        }
        atLeast("delivery-timeout", deliveryTimeout, Duration.ofSeconds(1));
        atLeast("drain-timeout", drainTimeout, Duration.ZERO);
    }

    /**
     * How much may be on its way to the log, counted as the serialized size of what was received and half a
     * kilobyte for each frame. Beyond it the door stops reading, which runners feel as backpressure.
     *
     * @param total of all streams together, 1 MB or greater
     * @param perStream of one stream, 64 KB to {@code total}
     */
    public record InFlightSettings(
            @DefaultValue("32MB") DataSize total,
            @DefaultValue("4MB") DataSize perStream) {
        /** Checks the ranges. */
        public InFlightSettings {
            if (total.toBytes() < DataSize.ofMegabytes(1).toBytes()) {
                throw new IllegalArgumentException(
                        "runcast.ingest.in-flight.total: " + total + " (expected: 1MB or greater)");
            }
            if (perStream.toBytes() < DataSize.ofKilobytes(64).toBytes() || perStream.compareTo(total) > 0) {
                throw new IllegalArgumentException("runcast.ingest.in-flight.per-stream: " + perStream
                        + " (expected: 64KB to the total, " + total + ")");
            }
        }
    }

    /**
     * When connections are closed. A stream keeps its connection from being idle.
     *
     * @param keepAlive how often a silent connection is asked whether it is alive, a second or longer
     * @param keepAliveTimeout how long the answer may take
     * @param permitKeepAlive runners that ask more often than this are told to go away
     * @param maxIdle a connection without a call for this long is closed
     * @param maxStreams concurrent calls of one connection, 1 or greater
     */
    public record ConnectionSettings(
            @DefaultValue("30s") Duration keepAlive,
            @DefaultValue("10s") Duration keepAliveTimeout,
            @DefaultValue("5s") Duration permitKeepAlive,
            @DefaultValue("15m") Duration maxIdle,
            @DefaultValue("1000") int maxStreams) {
        /** Checks the ranges. */
        public ConnectionSettings {
            atLeast("connection.keep-alive", keepAlive, Duration.ofSeconds(1));
            atLeast("connection.keep-alive-timeout", keepAliveTimeout, Duration.ofMillis(100));
            atLeast("connection.permit-keep-alive", permitKeepAlive, Duration.ZERO);
            atLeast("connection.max-idle", maxIdle, Duration.ofSeconds(1));
            if (maxStreams < 1) {
                throw new IllegalArgumentException(
                        "runcast.ingest.connection.max-streams: " + maxStreams + " (expected: 1 or greater)");
            }
        }
    }

    private static void atLeast(String name, Duration value, Duration least) {
        if (value.compareTo(least) < 0) {
            throw new IllegalArgumentException(
                    "runcast.ingest." + name + ": " + value + " (expected: " + least + " or longer)");
        }
    }
}
