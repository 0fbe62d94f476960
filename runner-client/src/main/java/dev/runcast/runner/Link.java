package dev.runcast.runner;

import dev.runcast.v1.PublishUpdatesResponse;
import io.grpc.Status;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps one stream open: opens it, gives up an attempt that takes too long, waits and tries again. Belongs to the
 * sender's thread; what the transport tells on others comes in through the mailbox.
 */
final class Link {
    private static final Logger logger = LoggerFactory.getLogger(Link.class);

    /** What the link tells the sender, on the sender's thread. */
    interface Owner {
        /** A stream is open and has nothing on it yet. */
        void opened(Transport.Connection connection);

        /** The open stream takes frames again. */
        void ready();

        /** A frame came on the open stream. */
        void frame(PublishUpdatesResponse frame);

        /** The open stream is gone. */
        void lost();
    }

    private enum State {
        WAITING,
        CONNECTING,
        OPEN,
        STOPPED
    }

    private final Transport transport;
    private final Mailbox mailbox;
    private final Owner owner;
    private final ReporterListener listener;
    private final Callbacks callbacks;
    private final Counters counters;
    private final Backoff backoff;
    private final Breaker breaker;
    private final long connectTimeoutNanos;

    /** Read by others for the statistics. */
    private volatile State state = State.WAITING;

    private Transport.@Nullable Connection connection;
    /** When the present state's time is up. */
    private long untilNanos;
    /** Tells the present attempt's news from that of the ones before. */
    private int attempt;

    /** The breaker has been told that this stream works. */
    private boolean proven;

    private long now;

    Link(
            Transport transport,
            Mailbox mailbox,
            Owner owner,
            ReporterListener listener,
            Callbacks callbacks,
            Counters counters,
            ReporterConfig config,
            RandomGenerator random) {
        this.transport = transport;
        this.mailbox = mailbox;
        this.owner = owner;
        this.listener = listener;
        this.callbacks = callbacks;
        this.counters = counters;
        this.backoff = new Backoff(config.minBackoff(), config.maxBackoff(), random);
        this.breaker = new Breaker(config, counters, listener, callbacks);
        this.connectTimeoutNanos = config.connectTimeout().toNanos();
    }

    /** The time at which what follows happens, by the monotonic clock. */
    void time(long time) {
        now = time;
    }

    /** Does what is due; returns the time of what is due next. */
    long turn() {
        if (state == State.WAITING && now - untilNanos >= 0) {
            if (breaker.permits(now)) {
                connect();
            } else {
                untilNanos = breaker.askAgain(now);
            }
        } else if (state == State.CONNECTING && now - untilNanos >= 0) {
            drop("no stream within " + connectTimeoutNanos / 1_000_000 + " ms");
        }
        if (state == State.OPEN && !proven && now - untilNanos >= 0) {
            prove();
        }
        return state == State.STOPPED || (state == State.OPEN && proven) ? Long.MAX_VALUE : untilNanos;
    }

    /** The open stream, or null. */
    Transport.@Nullable Connection open() {
        return state == State.OPEN ? connection : null;
    }

    /** Whether a stream is open; for any thread. */
    boolean isOpen() {
        return state == State.OPEN;
    }

    /** Gives the stream up and tries again after a while. */
    void drop(String reason) {
        if (connection != null) {
            cancel(connection, reason);
        }
        ended(Status.UNAVAILABLE.withDescription(reason));
    }

    /** Ends the stream in order and opens no other. */
    void stop() {
        Transport.Connection last = connection;
        state = State.STOPPED;
        attempt++;
        connection = null;
        if (last != null) {
            try {
                last.finish();
            } catch (RuntimeException thrown) {
                logger.debug("The stream cannot be ended in order", thrown);
            }
        }
    }

    private void connect() {
        state = State.CONNECTING;
        untilNanos = now + connectTimeoutNanos;
        int mine = ++attempt;
        proven = false;
        counters.connectAttempts.increment();
        try {
            connection = transport.connect(new Transport.Listener() {
                @Override
                public void ready() {
                    mailbox.post(() -> onReady(mine));
                }

                @Override
                public void frame(PublishUpdatesResponse frame) {
                    mailbox.post(() -> onFrame(mine, frame));
                }

                @Override
                public void closed(Status status) {
                    mailbox.post(() -> onClosed(mine, status));
                }
            });
        } catch (RuntimeException | Error thrown) {
            // Error too: a class that is missing must not cost the agent its run.
            ended(Status.INTERNAL
                    .withDescription("the channel cannot be built: " + thrown)
                    .withCause(thrown));
        }
    }

    private void onReady(int mine) {
        if (mine != attempt || connection == null) {
            return;
        }
        if (state == State.CONNECTING) {
            state = State.OPEN;
            untilNanos = now + connectTimeoutNanos;
            counters.connections.increment();
            callbacks.call(listener::connected);
            owner.opened(connection);
        } else if (state == State.OPEN) {
            owner.ready();
        }
    }

    private void onFrame(int mine, PublishUpdatesResponse frame) {
        if (mine != attempt || connection == null) {
            return;
        }
        // A door that takes streams only to end them must not be hammered: only what it says shows that all is well.
        backoff.reset();
        prove();
        connection.dealtWith();
        owner.frame(frame);
    }

    private void prove() {
        if (!proven) {
            proven = true;
            breaker.worked(now);
        }
    }

    private void onClosed(int mine, Status status) {
        if (mine == attempt && state != State.STOPPED) {
            ended(status);
        }
    }

    private void ended(Status status) {
        boolean wasOpen = state == State.OPEN;
        boolean credentials =
                status.getCode() == Status.Code.UNAUTHENTICATED || status.getCode() == Status.Code.PERMISSION_DENIED;
        if (!proven) {
            breaker.failed(now);
        }
        long delay = credentials ? backoff.slow() : backoff.next();
        String reason = status.getCode() + (status.getDescription() == null ? "" : ": " + status.getDescription());
        state = State.WAITING;
        attempt++;
        connection = null;
        untilNanos = now + delay;
        counters.disconnects.increment();
        if (credentials) {
            logger.warn("The door refuses the credentials ({}); trying again in {} ms", reason, delay / 1_000_000);
            callbacks.call(() -> listener.credentialsRefused(reason));
        } else if (wasOpen) {
            logger.info("The stream ended ({}); opening another in {} ms", reason, delay / 1_000_000);
        } else {
            logger.debug("No stream ({}); trying again in {} ms", reason, delay / 1_000_000);
        }
        callbacks.call(() -> listener.disconnected(reason));
        if (wasOpen) {
            owner.lost();
        }
    }

    private static void cancel(Transport.Connection connection, String reason) {
        try {
            connection.cancel(reason);
        } catch (RuntimeException thrown) {
            logger.debug("The stream cannot be cancelled", thrown);
        }
    }
}
