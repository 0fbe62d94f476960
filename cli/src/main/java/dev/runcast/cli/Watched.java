package dev.runcast.cli;

import com.google.common.collect.Iterators;
import com.google.common.collect.PeekingIterator;
import dev.runcast.v1.WatchExecutionRequest;
import dev.runcast.v1.WatchExecutionResponse;
import java.time.Duration;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;

/** An execution whose frames are asked for, anew whenever the stream breaks. Not thread-safe. */
final class Watched {
    private final Connection.Session session;
    private final String execution;
    private final Duration beginWithin;
    private @Nullable PeekingIterator<WatchExecutionResponse> begun;

    /** @param beginWithin how long it may not be there yet, 0 for not at all */
    Watched(Connection.Session session, String execution, Duration beginWithin) {
        this.session = session;
        this.execution = execution;
        this.beginWithin = beginWithin;
    }

    /** Asks for the frames now, before somebody reads them; gives them without taking them. */
    PeekingIterator<WatchExecutionResponse> begin() {
        begun = Iterators.peekingIterator(ask(""));
        return begun;
    }

    /** The frames after a cursor; without one from the present state, or what was asked for already. */
    Iterator<WatchExecutionResponse> framesAfter(String cursor) {
        Iterator<WatchExecutionResponse> frames = begun == null ? ask(cursor) : begun;
        begun = null;
        return frames;
    }

    private Iterator<WatchExecutionResponse> ask(String cursor) {
        return session.streams()
                .watchExecution(WatchExecutionRequest.newBuilder()
                        .setExecutionId(execution)
                        .setCursor(cursor)
                        // Of any size: the server says what is too long.
                        .setBeginWithin(com.google.protobuf.Duration.newBuilder()
                                .setSeconds(beginWithin.getSeconds())
                                .setNanos(beginWithin.getNano()))
                        .build());
    }
}
