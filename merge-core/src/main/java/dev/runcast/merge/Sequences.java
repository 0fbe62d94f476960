package dev.runcast.merge;

import dev.runcast.state.v1.WriterRecord;
import dev.runcast.v1.ResendRequest;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How far each runner's stream has come. Kept for the adopted attempt and for newer ones; what is older is fenced, so
 * its place no longer matters. An update moves its place also when it is refused, so this does not take part in the
 * putting back of refused updates.
 */
final class Sequences {
    private static final Comparator<Stream> ORDER =
            Comparator.<Stream>comparingLong(s -> s.epoch).thenComparing(s -> s.name);

    /** One runner's stream. */
    static final class Stream {
        final String name;
        final long epoch;
        private long last;
        private boolean missing;

        private Stream(String name, long epoch, long last, boolean missing) {
            this.name = name;
            this.epoch = epoch;
            this.last = last;
            this.missing = missing;
        }

        long expected() {
            return last + 1;
        }
    }

    private final List<Stream> streams = new ArrayList<>();
    private boolean missingChanged;

    static Sequences of(List<WriterRecord> records) {
        Sequences sequences = new Sequences();
        for (WriterRecord r : records) {
            sequences.streams.add(new Stream(r.getName(), r.getEpoch(), r.getLastSequence(), r.getMissing()));
        }
        return sequences;
    }

    /** The stream of a writer, begun if it is new; null when the attempt has as many as it may have. */
    @Nullable
    Stream stream(String name, long epoch, long adoptedEpoch) {
        int ofAttempt = 0;
        int waiting = 0;
        for (Stream stream : streams) {
            if (stream.epoch == epoch) {
                if (stream.name.equals(name)) {
                    return stream;
                }
                ofAttempt++;
            }
            if (stream.epoch > adoptedEpoch) {
                waiting++;
            }
        }
        if (ofAttempt >= Limits.WRITERS) {
            return null;
        }
        Stream begun = new Stream(name, epoch, 0, false);
        if (epoch > adoptedEpoch && waiting >= Limits.WAITING_WRITERS) {
            forgetOldestWaiting(adoptedEpoch);
        }
        streams.add(begun);
        streams.sort(ORDER);
        return begun;
    }

    /** The stream's next sequence has come. */
    void advance(Stream stream) {
        stream.last++;
        missingChanged |= stream.missing;
        stream.missing = false;
    }

    /** Something beyond the stream's next sequence has come. */
    void miss(Stream stream) {
        missingChanged |= !stream.missing;
        stream.missing = true;
    }

    /** Forgets the streams of attempts that are fenced. */
    void fence(long below) {
        missingChanged |= streams.stream().anyMatch(s -> s.epoch < below && s.missing);
        streams.removeIf(s -> s.epoch < below);
    }

    /** Whether what is missing changed since this was last asked. */
    boolean takeMissingChanged() {
        boolean changed = missingChanged;
        missingChanged = false;
        return changed;
    }

    List<ResendRequest> resends() {
        return streams.stream()
                .filter(s -> s.missing)
                .map(s -> ResendRequest.newBuilder()
                        .setWriter(Writer.newBuilder()
                                .setKind(WriterKind.WRITER_KIND_RUNNER)
                                .setName(s.name))
                        .setEpoch(s.epoch)
                        .setExpectedSequence(s.expected())
                        .build())
                .toList();
    }

    List<WriterRecord> toRecords() {
        List<WriterRecord> records = new ArrayList<>(streams.size());
        for (Stream s : streams) {
            records.add(WriterRecord.newBuilder()
                    .setName(s.name)
                    .setEpoch(s.epoch)
                    .setLastSequence(s.last)
                    .setMissing(s.missing)
                    .build());
        }
        return records;
    }

    /** A stream that is forgotten and comes back is asked to send from its beginning: work, not a loss. */
    private void forgetOldestWaiting(long adoptedEpoch) {
        for (int i = 0; i < streams.size(); i++) {
            if (streams.get(i).epoch > adoptedEpoch) {
                missingChanged |= streams.remove(i).missing;
                return;
            }
        }
    }
}
