package dev.runcast.runner;

import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import io.grpc.Status;
import java.time.Duration;

/** How streams to the runners' door are opened. Used by the sender's thread alone. */
interface Transport {

    /**
     * Begins to open a stream and returns at once.
     *
     * @throws RuntimeException when it cannot even begin, for example for a target that cannot be parsed
     */
    Connection connect(Listener listener);

    /** Lets go of everything, waiting so long at most for streams to end. */
    void close(Duration timeout);

    /** One stream. */
    interface Connection {

        /** Whether a frame can be sent without being buffered without bound. */
        boolean isReady();

        /** Sends a frame; never blocks. */
        void send(PublishUpdatesRequest frame);

        /** Says that a frame has been dealt with, so that another one may come. */
        void dealtWith();

        /** Ends the stream in order: nothing more will be sent. */
        void finish();

        /** Drops the stream. */
        void cancel(String reason);
    }

    /** What a stream tells, on any thread; never after {@link #closed}. */
    interface Listener {

        /** {@link Connection#isReady} became true. */
        void ready();

        /** A frame came. */
        void frame(PublishUpdatesResponse frame);

        /** The stream ended. */
        void closed(Status status);
    }
}
