package dev.runcast.runner;

import dev.runcast.v1.Ack;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PublishUpdatesResponse;
import dev.runcast.v1.Refusal;
import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Signal;
import dev.runcast.v1.Standing;
import dev.runcast.v1.Writer;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the sender does about the server's frames. Belongs to the sender's thread.
 *
 * <p>After the refusal that made the sender go back, everything that was on the wire behind it is refused too, as out of
 * order: echoes, which must not each cause another round of sending. So a request to go back to where the sender just
 * went is not followed, but looked at again after a while, in case it was not an echo.
 */
final class Replies {
    private static final Logger logger = LoggerFactory.getLogger(Replies.class);
    private static final long ECHO_NANOS = Duration.ofMillis(500).toNanos();

    private static final Duration LONGEST_WAIT = Duration.ofHours(1);

    private final Sender sender;
    private final Cadence cadence;
    private final Counters counters;
    private final long minBackoffNanos;
    private final long maxBackoffNanos;
    private final RandomGenerator random;
    private final ReporterListener listener;
    private final Callbacks callbacks;

    Replies(
            Sender sender,
            Cadence cadence,
            Counters counters,
            ReporterListener listener,
            Callbacks callbacks,
            ReporterConfig config,
            RandomGenerator random) {
        this.listener = listener;
        this.callbacks = callbacks;
        this.sender = sender;
        this.cadence = cadence;
        this.counters = counters;
        this.minBackoffNanos = config.minBackoff().toNanos();
        this.maxBackoffNanos = config.maxBackoff().toNanos();
        this.random = random;
    }

    void take(PublishUpdatesResponse frame, long now) {
        switch (frame.getFrameCase()) {
            case ACK -> ack(frame.getAck(), now);
            case REFUSAL -> refusal(frame.getRefusal(), now);
            case SIGNAL -> signal(frame.getSignal(), now);
            // A frame of a newer contract than this client's.
            case FRAME_NOT_SET -> logger.debug("A frame of an unknown kind came");
        }
    }

    /** Goes back after all where an echo was not followed and nothing has moved since. */
    void checkEcho(Outbox outbox, long now) {
        if (outbox.echoed && now - outbox.rewoundNanos >= ECHO_NANOS) {
            outbox.echoed = false;
            if (outbox.window.first() == outbox.rewoundTo) {
                outbox.rewoundNanos = now;
                outbox.rewind(outbox.rewoundTo);
                counters.rewinds.increment();
            }
        }
    }

    private void ack(Ack ack, long now) {
        Outbox outbox = sender.outbox(key(ack.getExecutionId(), ack.getWriter(), ack.getEpoch()));
        if (outbox == null) {
            return;
        }
        if (ack.getSequence() >= outbox.window.loaded()) {
            logger.warn(
                    "An ack for sequence {} of {} (expected: less than {})",
                    ack.getSequence(),
                    outbox.key,
                    outbox.window.loaded());
            return;
        }
        long roundTrip = outbox.ack(ack.getSequence(), now);
        if (roundTrip >= 0) {
            cadence.acked(roundTrip);
            counters.ackLatency.accept(roundTrip);
        }
        sender.feed();
    }

    private void refusal(Refusal refusal, long now) {
        Outbox outbox = sender.outbox(key(refusal.getExecutionId(), refusal.getWriter(), refusal.getEpoch()));
        if (outbox == null || outbox.discarded) {
            return;
        }
        counters.refused.increment();
        long sequence = refusal.getSequence();
        switch (refusal.getReason()) {
            case REJECTION_REASON_FENCED -> standing(outbox, Standing.STANDING_FENCED);
            case REJECTION_REASON_CLOSED, REJECTION_REASON_EXPIRED -> standing(outbox, Standing.STANDING_CLOSED);
            case REJECTION_REASON_SEQUENCE_GAP, REJECTION_REASON_OUT_OF_ORDER -> {
                long expected = refusal.getExpectedSequence();
                if (expected > 0 && expected < outbox.window.first()) {
                    // What is acked is gone from here; another try may find the server knowing so.
                    logger.warn(
                            "The server expects sequence {} of {}, which it acked (first not acked: {})",
                            expected,
                            outbox.key,
                            outbox.window.first());
                    holdBack(outbox, now);
                }
                goBack(outbox, expected > 0 ? expected : sequence, now);
            }
            default -> {
                if (refusal.getReason() == RejectionReason.REJECTION_REASON_EPOCH_AHEAD) {
                    postpone(outbox, refusal, now);
                } else if (refusal.getRetryable()) {
                    cadence.slower();
                    holdBack(outbox, now);
                    outbox.rewind(sequence);
                    counters.rewinds.increment();
                } else if (sequence >= outbox.window.first() && sequence < outbox.window.loaded()) {
                    substitute(outbox, refusal, now);
                }
            }
        }
        sender.lineUp(outbox);
    }

    /** The attempt lies too far ahead: it is taken when the clocks have come that far, or are put right. */
    private void postpone(Outbox outbox, Refusal refusal, long now) {
        if (outbox.refusals == 0) {
            logger.warn("{} has to wait: {}", outbox.key, refusal.getMessage());
            String reason = refusal.getMessage();
            callbacks.call(() -> listener.epochAhead(outbox.key.executionId(), outbox.key.epoch(), reason));
        }
        counters.postponed.increment();
        holdBack(outbox, now);
        if (refusal.hasRetryAfter()) {
            Duration wait = Duration.ofSeconds(
                    refusal.getRetryAfter().getSeconds(),
                    refusal.getRetryAfter().getNanos());
            // The longest backoff is the bound: a clock may be put right at any time.
            if (wait.compareTo(LONGEST_WAIT) < 0 && now + wait.toNanos() < outbox.retryNanos) {
                outbox.retryNanos = now + wait.toNanos();
                sender.lineUpAt(outbox, outbox.retryNanos);
            }
        }
        outbox.rewind(refusal.getSequence());
    }

    private void substitute(Outbox outbox, Refusal refusal, long now) {
        long sequence = refusal.getSequence();
        if (!outbox.window.get(sequence).sent) {
            // It has been replaced since; this is about what was there before.
            return;
        }
        String reason = "refused: " + name(refusal.getReason()) + " " + refusal.getMessage();
        logger.warn("Sequence {} of {} is {}", sequence, outbox.key, reason);
        if (!outbox.substitute(sequence, reason)) {
            holdBack(outbox, now);
        }
        outbox.rewind(sequence);
        outbox.rewoundTo = sequence;
        outbox.rewoundNanos = now;
        counters.rewinds.increment();
    }

    private void signal(Signal signal, long now) {
        for (Outbox outbox : receivers(signal)) {
            outbox.level.apply(signal);
            if (signal.getStanding() == Standing.STANDING_FENCED) {
                standing(outbox, Standing.STANDING_FENCED);
            } else if (signal.getResendFrom() >= outbox.window.first()) {
                // Less than that is acked, and so in the log: the level is older than the ack.
                goBack(outbox, signal.getResendFrom(), now);
                sender.lineUp(outbox);
            }
        }
    }

    private List<Outbox> receivers(Signal signal) {
        if (signal.hasWriter()) {
            Outbox outbox = sender.outbox(key(signal.getExecutionId(), signal.getWriter(), signal.getEpoch()));
            return outbox == null ? List.of() : List.of(outbox);
        }
        return sender.outboxes().stream()
                .filter(outbox -> outbox.key.executionId().equals(signal.getExecutionId())
                        && outbox.key.epoch() == signal.getEpoch())
                .toList();
    }

    private void standing(Outbox outbox, Standing standing) {
        outbox.level.standing(standing, Phase.PHASE_UNSPECIFIED);
        if (!outbox.discarded) {
            logger.info("Attempt {} is {}: what it had to send is void", outbox.key, standing);
            outbox.discard();
            sender.feed();
        }
    }

    private void goBack(Outbox outbox, long sequence, long now) {
        if (sequence >= outbox.cursor) {
            return;
        }
        long target = Math.max(sequence, outbox.window.first());
        if (target == outbox.rewoundTo && now - outbox.rewoundNanos < ECHO_NANOS) {
            outbox.echoed = true;
            sender.lineUpAt(outbox, outbox.rewoundNanos + ECHO_NANOS);
            return;
        }
        outbox.rewoundTo = target;
        outbox.rewoundNanos = now;
        outbox.echoed = false;
        outbox.rewind(target);
        counters.rewinds.increment();
    }

    /** Nothing more of it for a while: as long as a reconnect would wait after as many failures. */
    private void holdBack(Outbox outbox, long now) {
        long bound = Math.min(maxBackoffNanos, minBackoffNanos << Math.min(outbox.refusals, 20));
        outbox.refusals++;
        outbox.retryNanos = now + bound / 2 + random.nextLong(bound / 2 + 1);
        sender.lineUpAt(outbox, outbox.retryNanos);
    }

    private static StreamKey key(String executionId, Writer writer, long epoch) {
        return new StreamKey(executionId, writer.getName(), epoch);
    }

    private static String name(RejectionReason reason) {
        return reason == RejectionReason.UNRECOGNIZED
                ? "UNKNOWN"
                : reason.name().replace("REJECTION_REASON_", "");
    }
}
