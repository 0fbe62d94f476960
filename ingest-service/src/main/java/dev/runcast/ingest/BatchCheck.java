package dev.runcast.ingest;

import dev.runcast.doors.Contract;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Principal;
import dev.runcast.doors.Reason;
import dev.runcast.doors.Role;
import dev.runcast.v1.Omitted;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.UpdateBatch.PositionCase;
import dev.runcast.v1.WriterKind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Holds a batch against the contract and the door's limits. The rules are those that stand in the contract
 * (protovalidate); what {@link HotCheck} knows to keep them is not held against them again. Thread-safe.
 */
final class BatchCheck {
    /** The most that one update may have, serialized, in bytes. */
    static final int MAX_UPDATE_BYTES = 256 * 1024;

    /** The most that one batch may have, serialized, in bytes. */
    static final int MAX_BATCH_BYTES = 512 * 1024;

    /** The most updates that one batch may have. */
    static final int MAX_UPDATES = 256;

    private static final Duration MAX_AHEAD = Duration.ofHours(1);
    private static final long MAX_SEQUENCE = Long.MAX_VALUE - MAX_UPDATES;
    private static final Update GOOD =
            Update.newBuilder().setOmitted(Omitted.newBuilder().setCount(1)).build();

    private final InstantSource clock;

    BatchCheck(InstantSource clock) {
        this.clock = clock;
    }

    /**
     * An update that is refused, and with it all that follow.
     *
     * @param index its index in the batch
     * @param failure why
     * @param retryable whether the same update may be taken later
     */
    record Bad(int index, DoorException failure, boolean retryable) {}

    /**
     * Checks what belongs to the whole batch: names, writer, attempt, position and who may write so.
     *
     * @throws DoorException when it is refused whatever its updates are
     */
    void header(UpdateBatch batch, Principal principal) {
        if (!HotCheck.header(batch)) {
            Contract.check(batch.toBuilder()
                    .clearTenant()
                    .clearPrincipal()
                    .clearUpdates()
                    .addUpdates(GOOD)
                    .build());
        }
        WriterKind kind = batch.getWriter().getKind();
        Set<WriterKind> permitted = permitted(principal.role());
        if (!permitted.contains(kind)) {
            throw Failures.value(
                    Reason.NOT_PERMITTED, "writer.kind", kind.name(), permitted + " for the role " + principal.role());
        }
        if (batch.getUpdatesCount() == 0) {
            throw Failures.value(Reason.INVALID, "updates", "none", "1 to " + MAX_UPDATES);
        }
        if (batch.getPositionCase() == PositionCase.FIRST_SEQUENCE) {
            sequenced(batch, kind);
        } else if (batch.getUpdatesCount() != 1) {
            throw Failures.value(
                    Reason.INVALID,
                    "updates",
                    Integer.toString(batch.getUpdatesCount()),
                    "exactly 1 with a request_id");
        }
        epoch(batch.getEpoch());
    }

    /** Refuses an attempt that claims to have begun in the future: it would fence all honest ones. */
    void epoch(long epoch) {
        long newest = clock.instant().plus(MAX_AHEAD).toEpochMilli();
        if (epoch > newest) {
            throw Failures.value(
                    Reason.EPOCH_AHEAD,
                    "epoch",
                    Long.toString(epoch),
                    "at most " + newest + ", which is an hour ahead, in milliseconds since 1970");
        }
    }

    /** How long it takes until an attempt that lies too far ahead is taken, if the clocks stay as they are. */
    Duration untilTaken(long epoch) {
        Instant newest = clock.instant().plus(MAX_AHEAD);
        return Duration.ofMillis(Math.max(1, epoch - newest.toEpochMilli()));
    }

    private static void sequenced(UpdateBatch batch, WriterKind kind) {
        if (kind != WriterKind.WRITER_KIND_RUNNER) {
            throw Failures.value(
                    Reason.INVALID,
                    "first_sequence",
                    Long.toString(batch.getFirstSequence()),
                    "a request_id from " + kind.name() + ", since only a RUNNER numbers its updates");
        }
        if (batch.getEpoch() < 1) {
            throw Failures.value(
                    Reason.INVALID, "epoch", Long.toString(batch.getEpoch()), "1 or greater with first_sequence");
        }
        if (batch.getFirstSequence() > MAX_SEQUENCE) {
            throw Failures.value(
                    Reason.INVALID,
                    "first_sequence",
                    Long.toString(batch.getFirstSequence()),
                    "at most " + MAX_SEQUENCE);
        }
    }

    private static Set<WriterKind> permitted(Role role) {
        return switch (role) {
            // The worker that runs workflows comes with a runner's token.
            case RUNNER -> EnumSet.of(WriterKind.WRITER_KIND_RUNNER, WriterKind.WRITER_KIND_WORKFLOW);
            case OPERATOR ->
                EnumSet.of(
                        WriterKind.WRITER_KIND_RUNNER,
                        WriterKind.WRITER_KIND_WORKFLOW,
                        WriterKind.WRITER_KIND_OPERATOR,
                        WriterKind.WRITER_KIND_SYSTEM);
            case VIEWER -> EnumSet.noneOf(WriterKind.class);
        };
    }

    /** The first update that is refused; null when all are good and together within the limits. */
    @Nullable
    Bad firstBad(UpdateBatch batch) {
        int total = batch.getSerializedSize();
        long bytes = 0;
        for (int i = 0; i < batch.getUpdatesCount(); i++) {
            Update update = batch.getUpdates(i);
            int size = update.getSerializedSize();
            bytes += size;
            if (size > MAX_UPDATE_BYTES) {
                return new Bad(
                        i,
                        Failures.value(
                                Reason.TOO_LARGE,
                                "update",
                                size + " bytes",
                                "at most " + MAX_UPDATE_BYTES + ", with what is larger as a Reference"),
                        false);
            }
            if (i >= MAX_UPDATES) {
                return new Bad(
                        i,
                        Failures.value(
                                Reason.TOO_LARGE,
                                "updates",
                                Integer.toString(batch.getUpdatesCount()),
                                "at most " + MAX_UPDATES + " in a batch"),
                        true);
            }
            // A tag and a length stand before each update, at most 5 bytes together.
            if (total > MAX_BATCH_BYTES && bytes + 5L * (i + 1) > MAX_BATCH_BYTES - headerBytes(batch)) {
                return new Bad(
                        i,
                        Failures.value(Reason.TOO_LARGE, "batch", total + " bytes", "at most " + MAX_BATCH_BYTES),
                        // The first one fits unless the batch is mostly something we do not know.
                        i > 0);
            }
            if (!HotCheck.update(update)) {
                try {
                    kind(update);
                    Contract.check(update);
                } catch (DoorException e) {
                    return new Bad(i, e, false);
                }
            }
        }
        return null;
    }

    private static int headerBytes(UpdateBatch batch) {
        return batch.toBuilder().clearUpdates().build().getSerializedSize();
    }

    /** The contract's own rule says that a kind is wanted; it cannot say that one came which is not known here. */
    private static void kind(Update update) {
        if (update.getChangeCase() == Update.ChangeCase.CHANGE_NOT_SET) {
            Set<Integer> unknown = update.getUnknownFields().asMap().keySet();
            throw Failures.value(
                    Reason.INVALID,
                    "change",
                    unknown.isEmpty() ? "none" : "field " + unknown,
                    "a kind of change that the contract knows");
        }
    }
}
