package dev.runcast.merge;

import dev.runcast.state.v1.WriterRecord;
import dev.runcast.v1.ResendRequest;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
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
    private long givenUpEpoch;
    private boolean levelChanged;

    static Sequences of(List<WriterRecord> records, long givenUpEpoch) {
        Sequences sequences = new Sequences();
        sequences.givenUpEpoch = givenUpEpoch;
        for (WriterRecord r : records) {
            sequences.streams.add(new Stream(r.getName(), r.getEpoch(), r.getLastSequence(), r.getMissing()));
        }
        return sequences;
    }

    /** The stream of a writer, begun if it is new; null when the attempt has as many as it may have. */
    @Nullable
    Stream stream(String name, long epoch, long adoptedEpoch, Rules rules) {
        int ofAttempt = 0;
        for (Stream stream : streams) {
            if (stream.epoch == epoch) {
                if (stream.name.equals(name)) {
                    return stream;
                }
                ofAttempt++;
            }
        }
        if (ofAttempt >= Limits.WRITERS) {
            return null;
        }
        Stream begun = new Stream(name, epoch, 0, false);
        if (!rules.givesUpWaiting() && epoch > adoptedEpoch && waiting(adoptedEpoch) >= Limits.WAITING_WRITERS) {
            forgetOldestWaiting(adoptedEpoch);
        }
        streams.add(begun);
        streams.sort(ORDER);
        return begun;
    }

    /** The stream's next sequence has come. */
    void advance(Stream stream) {
        stream.last++;
        levelChanged |= stream.missing;
        stream.missing = false;
    }

    /** Something beyond the stream's next sequence has come. */
    void miss(Stream stream) {
        levelChanged |= !stream.missing;
        stream.missing = true;
    }

    /**
     * When more streams wait than may be remembered, gives up the oldest attempt of them for good. Its streams cannot
     * only be forgotten: what they had refused was acked, the runners no longer have it, and asking for it again would
     * ask for ever.
     */
    void giveUpBeyond(long adoptedEpoch, Rules rules) {
        if (!rules.givesUpWaiting() || waiting(adoptedEpoch) <= Limits.WAITING_WRITERS) {
            return;
        }
        for (Stream stream : streams) {
            if (stream.epoch > adoptedEpoch) {
                givenUpEpoch = stream.epoch;
                break;
            }
        }
        streams.removeIf(s -> s.epoch > adoptedEpoch && s.epoch <= givenUpEpoch);
        levelChanged = true;
    }

    /** Attempts up to this one that have not been adopted are given up; 0 when none is. */
    long givenUpEpoch() {
        return givenUpEpoch;
    }

    /** Forgets the streams of attempts that are fenced. */
    void fence(long below) {
        if (givenUpEpoch < below) {
            givenUpEpoch = 0;
        }
        for (Iterator<Stream> each = streams.iterator(); each.hasNext(); ) {
            Stream stream = each.next();
            if (stream.epoch >= below) {
                break; // they are in order
            }
            levelChanged |= stream.missing;
            each.remove();
        }
    }

    /** Whether what runners are told of their streams changed since this was last asked. */
    boolean takeLevelChanged() {
        boolean changed = levelChanged;
        levelChanged = false;
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

    private int waiting(long adoptedEpoch) {
        int waiting = 0;
        for (Stream stream : streams) {
            waiting += stream.epoch > adoptedEpoch ? 1 : 0;
        }
        return waiting;
    }

    /** Rules 1: a stream that is forgotten and comes back is asked to send from its beginning, if it still can. */
    private void forgetOldestWaiting(long adoptedEpoch) {
        for (int i = 0; i < streams.size(); i++) {
            if (streams.get(i).epoch > adoptedEpoch) {
                levelChanged |= streams.remove(i).missing;
                return;
            }
        }
    }
}
