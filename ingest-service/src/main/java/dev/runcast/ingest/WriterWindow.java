package dev.runcast.ingest;

import java.util.ArrayDeque;

/**
 * Where one writer of one attempt stands on one stream: law 5 as a machine without I/O. After a refusal, a
 * gap or a failed send at a sequence, nothing is taken and nothing acked until that sequence itself arrives.
 * Not thread-safe.
 */
final class WriterWindow {
    /*
     * Producer failures are not prefixes: of consecutive sends the first may fail and the rest land. So a
     * flight that failed drops all that were taken after it: whether they land or not, they do not count,
     * because the runner sends them again. The merge refuses what lies beyond a gap, and knows what it has
     * seen, so neither a hole nor a double comes of that.
     *
     * A runner may go back by itself (after a reconnect, or because the merge asked for it). What it sends
     * again is appended again, and it goes on from there.
     */
    private final ArrayDeque<Flight> flights = new ArrayDeque<>();
    private long expected;
    private boolean refused;
    private long durable;

    /** What a batch that arrives is to the window. */
    enum Arrival {
        /** To be taken: the next one, or one from before. */
        NEXT,
        /** The first one beyond a gap: to be refused. */
        GAP,
        /** Behind something that was refused: not taken, and the runner has been told. */
        BEHIND
    }

    /** What the runner has to be told of a flight that failed. */
    enum Loss {
        /** Nothing: it did not count any more. */
        NONE,
        /** That more is durable: only this flight, which was not needed, held the ack up. */
        ACK,
        /** To send again, from {@link #expected()} on. */
        RESEND
    }

    /** A batch on its way to the log. */
    static final class Flight {
        private final long first;
        private final long last;
        private boolean landed;
        private boolean dropped;

        private Flight(long first, long last) {
            this.first = first;
            this.last = last;
        }

        int updates() {
            return Math.toIntExact(last - first + 1);
        }
    }

    /** What to do with a batch that begins with {@code first}. A window that knows nothing yet takes any. */
    Arrival arrive(long first) {
        if (expected == 0) {
            expected = first;
        }
        if (first <= expected) {
            return Arrival.NEXT;
        }
        if (refused) {
            return Arrival.BEHIND;
        }
        refused = true;
        return Arrival.GAP;
    }

    /** Takes {@code first} to {@code last}, which {@link #arrive} has let in. */
    Flight take(long first, long last) {
        Flight flight = new Flight(first, last);
        flights.add(flight);
        expected = last + 1;
        refused = false;
        return flight;
    }

    /** Refuses {@code sequence}, which {@link #arrive} has let in: nothing counts until it comes again. */
    void refuse(long sequence) {
        expected = sequence;
        refused = true;
    }

    /** A flight is durable. Whether that moves {@link #durable()}. */
    boolean landed(Flight flight) {
        if (flight.dropped) {
            return false;
        }
        flight.landed = true;
        return advance();
    }

    private boolean advance() {
        long before = durable;
        for (Flight head = flights.peek(); head != null && head.landed; head = flights.peek()) {
            durable = Math.max(durable, head.last);
            flights.remove();
        }
        return durable > before;
    }

    /** A flight failed. What the runner has to be told. */
    Loss failed(Flight flight) {
        if (flight.dropped) {
            return Loss.NONE;
        }
        if (flight.last <= durable) {
            // Sent again without need: it is in the log since the first time. What landed behind it counts now.
            flights.remove(flight);
            return advance() ? Loss.ACK : Loss.NONE;
        }
        Flight dropped;
        do {
            dropped = flights.removeLast();
            dropped.dropped = true;
        } while (dropped != flight);
        expected = Math.min(expected, Math.max(flight.first, durable + 1));
        refused = true;
        return Loss.RESEND;
    }

    /** The sequence that is taken next; 0 means any. */
    long expected() {
        return expected;
    }

    /** Everything up to this sequence is durable; 0 means that nothing is known to be. */
    long durable() {
        return durable;
    }

    /** Whether nothing would be lost by forgetting this window. */
    boolean idle() {
        return flights.isEmpty() && !refused;
    }
}
