package dev.runcast.ingest;

import dev.runcast.v1.PublishUpdatesResponse;
import java.util.ArrayDeque;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a stream has to say to its runner. Acks, refusals and signals of one writer are levels: however long
 * the runner does not read, each writer takes one place and what is sent in the end is the newest. Only what
 * belongs to no writer's window queues up, and {@link #backlog()} is what the stream stops reading for.
 * Not thread-safe.
 */
final class Outbox {
    private final ArrayDeque<WriterLine> due = new ArrayDeque<>();
    private final ArrayDeque<PublishUpdatesResponse> loose = new ArrayDeque<>();

    /** Something of this writer is to be said. */
    void due(WriterLine line) {
        if (!line.queued) {
            line.queued = true;
            due.add(line);
        }
    }

    /** An answer of its own, to be sent as it is. */
    void add(PublishUpdatesResponse frame) {
        loose.add(frame);
    }

    int backlog() {
        return loose.size();
    }

    /** The next frame; null when all is said. */
    @Nullable
    PublishUpdatesResponse next(Function<WriterLine, @Nullable PublishUpdatesResponse> say) {
        PublishUpdatesResponse frame = loose.poll();
        while (frame == null) {
            WriterLine line = due.peek();
            if (line == null) {
                return null;
            }
            frame = say.apply(line);
            if (frame == null) {
                due.remove();
                line.queued = false;
            }
        }
        return frame;
    }
}
