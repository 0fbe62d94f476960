package dev.runcast.runner;

import dev.runcast.v1.Ack;
import dev.runcast.v1.PublishUpdatesRequest;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;

/**
 * A door and the network before it in simulated time: frames take time and keep their order, streams break, acks get
 * lost with them, updates are refused. Which of it happens is drawn from a seed.
 */
final class SimulatedIngest implements Transport {

    /** How likely each misfortune is, from 0 to 1. */
    record Misfortunes(
            double connectFails, double breaks, double refuses, double stalls, double ackLost, double signals) {
        static final Misfortunes NONE = new Misfortunes(0, 0, 0, 0, 0, 0);
    }

    private record Event(long at, long order, Runnable action) {}

    final IngestLog log = new IngestLog();
    private final PriorityQueue<Event> events =
            new PriorityQueue<>(Comparator.comparingLong(Event::at).thenComparingLong(Event::order));
    private final Random random;
    private final Predicate<Update> poison;
    private Misfortunes misfortunes;
    private long now;
    private long order;
    /** Whose batches came, in their order. */
    final List<StreamKey> arrivals = new ArrayList<>();

    private final Set<StreamKey> deaf = new HashSet<>();
    private final Set<StreamKey> fenced = new HashSet<>();
    private long newestEpoch = Long.MAX_VALUE;
    int connections;
    int heartbeats;
    int attaches;

    SimulatedIngest(Random random, Misfortunes misfortunes, Predicate<Update> poison) {
        this.random = random;
        this.misfortunes = misfortunes;
        this.poison = poison;
    }

    /** It has no room for that one. */
    void deaf(StreamKey key) {
        deaf.add(key);
    }

    /** Attempts above it are too far ahead. */
    void newestEpoch(long epoch) {
        newestEpoch = epoch;
    }

    /** It says of that one that a newer attempt counts. */
    void fenced(StreamKey key) {
        fenced.add(key);
    }

    /** From now on. */
    void misfortunes(Misfortunes value) {
        misfortunes = value;
    }

    long now() {
        return now;
    }

    /** When something happens next; {@link Long#MAX_VALUE} when nothing will. */
    long next() {
        return events.isEmpty() ? Long.MAX_VALUE : events.peek().at;
    }

    /** Everything that happens until then, in order. */
    void run(long until) {
        while (next() <= until) {
            Event event = events.remove();
            now = event.at;
            event.action.run();
        }
        now = until;
    }

    @Override
    public Connection connect(Listener listener) {
        connections++;
        return new Stream(listener);
    }

    @Override
    public void close(Duration timeout) {}

    private boolean chance(double probability) {
        return random.nextDouble() < probability;
    }

    private long millis(int most) {
        return Duration.ofMillis(1 + random.nextInt(most)).toNanos();
    }

    private final class Stream implements Connection {
        private static final int FRAMES_UNTIL_FULL = 4;

        private final Listener listener;
        private long arrival;
        private long reply;
        private int underWay;
        private boolean stalled;
        private boolean broken;

        Stream(Listener listener) {
            this.listener = listener;
            if (chance(misfortunes.connectFails)) {
                at(now + millis(20), () -> fail(Status.UNAVAILABLE.withDescription("no route")));
            } else {
                at(now + millis(10), listener::ready);
            }
        }

        @Override
        public boolean isReady() {
            return !broken && !stalled && underWay < FRAMES_UNTIL_FULL;
        }

        @Override
        public void send(PublishUpdatesRequest frame) {
            if (broken) {
                return;
            }
            underWay++;
            arrival = Math.max(arrival, now + millis(10));
            at(arrival, () -> {
                boolean full = !isReady();
                underWay--;
                arrived(frame);
                if (chance(misfortunes.stalls)) {
                    stalled = true;
                    at(now + millis(200), () -> {
                        stalled = false;
                        listener.ready();
                    });
                } else if (full && isReady()) {
                    listener.ready();
                }
            });
        }

        @Override
        public void dealtWith() {}

        @Override
        public void finish() {
            fail(Status.OK);
        }

        @Override
        public void cancel(String reason) {
            broken = true;
        }

        private void arrived(PublishUpdatesRequest frame) {
            switch (frame.getFrameCase()) {
                case BATCH -> batch(frame.getBatch());
                case HEARTBEAT -> heartbeats++;
                case ATTACH -> attaches++;
                case FRAME_NOT_SET -> throw new AssertionError("an empty frame");
            }
        }

        private void batch(UpdateBatch batch) {
            StreamKey key = IngestLog.key(batch);
            long sequence = batch.getFirstSequence();
            arrivals.add(key);
            if (deaf.contains(key)) {
                refuse(batch, sequence, sequence, RejectionReason.REJECTION_REASON_UNAVAILABLE, true);
                return;
            }
            if (key.epoch() > newestEpoch) {
                refuse(batch, sequence, sequence, RejectionReason.REJECTION_REASON_EPOCH_AHEAD, true);
                return;
            }
            if (fenced.contains(key)) {
                refuse(batch, sequence, sequence, RejectionReason.REJECTION_REASON_FENCED, false);
                return;
            }
            for (Update update : batch.getUpdatesList()) {
                long last = log.stream(key).last();
                if (chance(misfortunes.breaks / batch.getUpdatesCount())) {
                    fail(Status.UNAVAILABLE.withDescription("broken"));
                    return;
                }
                if (sequence > last + 1) {
                    refuse(batch, sequence, last + 1, RejectionReason.REJECTION_REASON_OUT_OF_ORDER, true);
                    return;
                }
                if (sequence == last + 1 && poison.test(update)) {
                    refuse(batch, sequence, sequence, RejectionReason.REJECTION_REASON_INVALID, false);
                    return;
                }
                if (sequence == last + 1 && chance(misfortunes.refuses / batch.getUpdatesCount())) {
                    refuse(batch, sequence, sequence, RejectionReason.REJECTION_REASON_UNAVAILABLE, true);
                    return;
                }
                log.take(key, sequence, update);
                sequence++;
            }
            ack(batch, sequence - 1);
            if (chance(misfortunes.signals)) {
                signal(batch, Math.max(1, log.stream(key).last() - random.nextInt(4)));
            }
        }

        private void ack(UpdateBatch batch, long sequence) {
            if (!chance(misfortunes.ackLost)) {
                answer(PublishUpdatesResponse.newBuilder()
                        .setAck(Ack.newBuilder()
                                .setExecutionId(batch.getExecutionId())
                                .setWriter(batch.getWriter())
                                .setEpoch(batch.getEpoch())
                                .setSequence(sequence))
                        .build());
            }
        }

        private void refuse(
                UpdateBatch batch, long sequence, long expected, RejectionReason reason, boolean retryable) {
            // What stands before it was taken, and is acked with it.
            if (sequence > batch.getFirstSequence()) {
                ack(batch, sequence - 1);
            }
            answer(PublishUpdatesResponse.newBuilder()
                    .setRefusal(Refusal.newBuilder()
                            .setExecutionId(batch.getExecutionId())
                            .setWriter(batch.getWriter())
                            .setEpoch(batch.getEpoch())
                            .setSequence(sequence)
                            .setExpectedSequence(expected)
                            .setReason(reason)
                            .setRetryable(retryable))
                    .build());
        }

        private void signal(UpdateBatch batch, long resendFrom) {
            answer(PublishUpdatesResponse.newBuilder()
                    .setSignal(Signal.newBuilder()
                            .setExecutionId(batch.getExecutionId())
                            .setWriter(batch.getWriter())
                            .setEpoch(batch.getEpoch())
                            .setResendFrom(resendFrom)
                            .setSlowDown(
                                    com.google.protobuf.Duration.newBuilder().setNanos(random.nextInt(300_000_000))))
                    .build());
        }

        private void answer(PublishUpdatesResponse frame) {
            reply = Math.max(reply, now + millis(10));
            at(reply, () -> listener.frame(frame));
        }

        private void fail(Status status) {
            broken = true;
            events.add(new Event(now + millis(5), order++, () -> listener.closed(status)));
        }

        /** Happens on this stream, if it is still whole by then. */
        private void at(long time, Runnable action) {
            events.add(new Event(time, order++, () -> {
                if (!broken) {
                    action.run();
                }
            }));
        }
    }
}
