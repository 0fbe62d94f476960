package dev.runcast.runner;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link StatusReporter} reaches the runners' door and how much it may keep while it cannot. Immutable; start with
 * {@link #of} and change what differs.
 *
 * @param target where ingest listens, as gRPC names it, such as {@code localhost:8080} or {@code dns:///ingest:8080}
 * @param token gives the bearer token for each new stream, on a thread of gRPC's; it may block. Null or empty means
 *     none
 * @param tls whether to speak TLS with the JVM's trust store, else plain text
 * @param memoryBytes how much may wait for its ack, counted with an allowance for objects: 1 MiB or more
 * @param spool what is not durable is written to this folder before it is sent, so that it survives the process; at
 *     least twice {@code memoryBytes}. Null means none: it is kept in memory only
 * @param minCadence how often appended text is sent when the pipeline keeps up: 10 ms to 60 s
 * @param maxCadence how seldom, when it does not: {@code minCadence} to 60 s. A SLOW_DOWN of the server may ask for less
 * @param heartbeatInterval after how much silence a running execution says that it lives: 100 ms to 1 h
 * @param minBackoff the bound of the first random delay before connecting again: 1 ms to {@code maxBackoff}
 * @param maxBackoff the bound of the last: at most 1 h. Also the pace after refused credentials
 * @param connectTimeout how long one attempt may take until the stream is ready: 10 ms or more
 * @param ackTimeout after how long without an ack for what was sent the stream is given up: 10 ms or more
 * @param flushTimeout how long {@link StatusReporter#flush()} waits: not negative
 * @param closeTimeout how long {@link StatusReporter#close()} waits: not negative
 * @param clock stamps {@code occurred_at}
 * @param meters where the reporter's numbers are published while it is open. Null means nowhere; then Micrometer need
 *     not be there
 */
public record ReporterConfig(
        String target,
        Supplier<@Nullable String> token,
        boolean tls,
        long memoryBytes,
        @Nullable SpoolSettings spool,
        Duration minCadence,
        Duration maxCadence,
        Duration heartbeatInterval,
        Duration minBackoff,
        Duration maxBackoff,
        Duration connectTimeout,
        Duration ackTimeout,
        Duration flushTimeout,
        Duration closeTimeout,
        InstantSource clock,
        @Nullable MeterRegistry meters) {

    private static final long LEAST_MEMORY = 4L * Limits.UPDATE;

    /**
     * Validates every value.
     *
     * @throws IllegalArgumentException with the value and what was expected
     */
    public ReporterConfig {
        Objects.requireNonNull(target, "target");
        Objects.requireNonNull(token, "token");
        Objects.requireNonNull(clock, "clock");
        if (target.isBlank()) {
            throw new IllegalArgumentException("target: \"" + target + "\" (expected: such as localhost:8080)");
        }
        if (memoryBytes < LEAST_MEMORY) {
            throw new IllegalArgumentException(
                    "memoryBytes: " + memoryBytes + " (expected: " + LEAST_MEMORY + " or more)");
        }
        if (spool != null && spool.maxBytes() < 2 * memoryBytes) {
            throw new IllegalArgumentException("spool.maxBytes: " + spool.maxBytes() + " (expected: " + 2 * memoryBytes
                    + ", twice memoryBytes, or more)");
        }
        Duration hour = Duration.ofHours(1);
        Duration minute = Duration.ofMinutes(1);
        between("minCadence", minCadence, Duration.ofMillis(10), minute);
        between("maxCadence", maxCadence, minCadence, minute);
        between("heartbeatInterval", heartbeatInterval, Duration.ofMillis(100), hour);
        between("maxBackoff", maxBackoff, Duration.ofMillis(1), hour);
        between("minBackoff", minBackoff, Duration.ofMillis(1), maxBackoff);
        between("connectTimeout", connectTimeout, Duration.ofMillis(10), hour);
        between("ackTimeout", ackTimeout, Duration.ofMillis(10), hour);
        between("flushTimeout", flushTimeout, Duration.ZERO, Duration.ofDays(1));
        between("closeTimeout", closeTimeout, Duration.ZERO, Duration.ofDays(1));
    }

    /** The defaults: plain text, no token, 16 MiB, 100–500 ms, a heartbeat every 10 s, backoff 100 ms–30 s. */
    public static ReporterConfig of(String target) {
        return new ReporterConfig(
                target,
                () -> null,
                false,
                16L * 1024 * 1024,
                null,
                Duration.ofMillis(100),
                Duration.ofMillis(500),
                Duration.ofSeconds(10),
                Duration.ofMillis(100),
                Duration.ofSeconds(30),
                Duration.ofSeconds(10),
                Duration.ofSeconds(30),
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                InstantSource.system(),
                null);
    }

    /** The same with another source of bearer tokens. */
    public ReporterConfig withToken(Supplier<@Nullable String> value) {
        return changed(draft -> draft.token = value);
    }

    /** The same with TLS or without. */
    public ReporterConfig withTls(boolean value) {
        return changed(draft -> draft.tls = value);
    }

    /** The same with another bound of memory, in bytes. */
    public ReporterConfig withMemoryBytes(long value) {
        return changed(draft -> draft.memoryBytes = value);
    }

    /** The same with a spool. */
    public ReporterConfig withSpool(SpoolSettings value) {
        return changed(draft -> draft.spool = value);
    }

    /** The same with another cadence of text. */
    public ReporterConfig withCadence(Duration min, Duration max) {
        return changed(draft -> {
            draft.minCadence = min;
            draft.maxCadence = max;
        });
    }

    /** The same with another interval of heartbeats. */
    public ReporterConfig withHeartbeatInterval(Duration value) {
        return changed(draft -> draft.heartbeatInterval = value);
    }

    /** The same with another backoff. */
    public ReporterConfig withBackoff(Duration min, Duration max) {
        return changed(draft -> {
            draft.minBackoff = min;
            draft.maxBackoff = max;
        });
    }

    /** The same with other limits for one attempt to connect and for silence where an ack is due. */
    public ReporterConfig withAttemptTimeouts(Duration connect, Duration ack) {
        return changed(draft -> {
            draft.connectTimeout = connect;
            draft.ackTimeout = ack;
        });
    }

    /** The same with other limits for {@link StatusReporter#flush()} and {@link StatusReporter#close()}. */
    public ReporterConfig withDeadlines(Duration flush, Duration close) {
        return changed(draft -> {
            draft.flushTimeout = flush;
            draft.closeTimeout = close;
        });
    }

    /** The same with another clock. */
    public ReporterConfig withClock(InstantSource value) {
        return changed(draft -> draft.clock = value);
    }

    /** The same with its numbers published in a Micrometer registry: one reporter for each registry at a time. */
    public ReporterConfig withMeters(MeterRegistry value) {
        return changed(draft -> draft.meters = value);
    }

    private ReporterConfig changed(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.config();
    }

    /** The values of a configuration while one of them changes. */
    private static final class Draft {
        private final String target;
        private Supplier<@Nullable String> token;
        private boolean tls;
        private long memoryBytes;
        private @Nullable SpoolSettings spool;
        private Duration minCadence;
        private Duration maxCadence;
        private Duration heartbeatInterval;
        private Duration minBackoff;
        private Duration maxBackoff;
        private Duration connectTimeout;
        private Duration ackTimeout;
        private Duration flushTimeout;
        private Duration closeTimeout;
        private InstantSource clock;
        private @Nullable MeterRegistry meters;

        Draft(ReporterConfig config) {
            target = config.target;
            token = config.token;
            tls = config.tls;
            memoryBytes = config.memoryBytes;
            spool = config.spool;
            minCadence = config.minCadence;
            maxCadence = config.maxCadence;
            heartbeatInterval = config.heartbeatInterval;
            minBackoff = config.minBackoff;
            maxBackoff = config.maxBackoff;
            connectTimeout = config.connectTimeout;
            ackTimeout = config.ackTimeout;
            flushTimeout = config.flushTimeout;
            closeTimeout = config.closeTimeout;
            clock = config.clock;
            meters = config.meters;
        }

        ReporterConfig config() {
            return new ReporterConfig(
                    target,
                    token,
                    tls,
                    memoryBytes,
                    spool,
                    minCadence,
                    maxCadence,
                    heartbeatInterval,
                    minBackoff,
                    maxBackoff,
                    connectTimeout,
                    ackTimeout,
                    flushTimeout,
                    closeTimeout,
                    clock,
                    meters);
        }
    }

    private static void between(String name, Duration value, Duration least, Duration most) {
        Objects.requireNonNull(value, name);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(name + ": " + value + " (expected: " + least + " to " + most + ")");
        }
    }
}
