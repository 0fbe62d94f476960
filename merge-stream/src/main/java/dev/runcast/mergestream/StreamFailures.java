package dev.runcast.mergestream;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.streams.errors.StreamsException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens when a stream thread dies. Its transaction is aborted, so nothing is lost either way: what may heal is
 * tried again by a new thread, what would fail again in the same place stops the service, loudly. Nothing is skipped.
 */
final class StreamFailures implements StreamsUncaughtExceptionHandler {
    private static final Logger LOG = LoggerFactory.getLogger(StreamFailures.class);
    private static final long FIRST_PAUSE_MILLIS = 500;
    private static final int DOUBLINGS = 5;

    private final AtomicInteger inARow = new AtomicInteger();

    /** The threads run again: the next failure is a first one. */
    void recovered() {
        inARow.set(0);
    }

    @Override
    public StreamThreadExceptionResponse handle(Throwable failure) {
        if (!mayHeal(failure)) {
            LOG.error("The merge stops: this would fail again in the same place. {}", deepest(failure), failure);
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        }
        long pause = FIRST_PAUSE_MILLIS << Math.min(inARow.getAndIncrement(), DOUBLINGS);
        LOG.warn("A stream thread died and is replaced after {} ms: {}", pause, deepest(failure), failure);
        // This is the dying thread: whoever waits for the partition waits for the brokers anyway.
        LockSupport.parkNanos(pause * 1_000_000);
        return StreamThreadExceptionResponse.REPLACE_THREAD;
    }

    /** Whether the cause lies outside: brokers, network, disk. Our own exceptions come wrapped in Kafka Streams' own. */
    static boolean mayHeal(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof StreamsException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof RecordTooLargeException || cause instanceof SerializationException) {
            return false;
        }
        return cause instanceof KafkaException
                || cause instanceof RocksDBException
                || cause instanceof java.io.IOException
                || cause instanceof java.io.UncheckedIOException;
    }

    private static Throwable deepest(Throwable failure) {
        Throwable deepest = failure;
        while (deepest.getCause() != null && deepest.getCause() != deepest) {
            deepest = deepest.getCause();
        }
        return deepest;
    }
}
