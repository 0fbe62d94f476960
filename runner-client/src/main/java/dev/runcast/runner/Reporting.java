package dev.runcast.runner;

import com.google.protobuf.Timestamp;
import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Failure;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where the agent's threads come in: builds updates, puts them into the inbox, and sees to it that nothing is thrown
 * into the agent. Thread-safe.
 */
final class Reporting {
    private static final Logger logger = LoggerFactory.getLogger(Reporting.class);

    private final Outbox outbox;
    private final Mailbox mailbox;
    private final MemoryBudget budget;
    private final Counters counters;
    private final InstantSource clock;
    /** Whether calls are taken at all; it says so in the log itself. */
    private final BooleanSupplier open;

    private volatile boolean complained;

    Reporting(
            Outbox outbox,
            Mailbox mailbox,
            MemoryBudget budget,
            Counters counters,
            InstantSource clock,
            BooleanSupplier open) {
        this.outbox = outbox;
        this.mailbox = mailbox;
        this.budget = budget;
        this.counters = counters;
        this.clock = clock;
        this.open = open;
    }

    /** Builds and reports an update; its time is set before the builder is handed out. */
    void report(Consumer<Update.Builder> change) {
        guarded(() -> {
            Update.Builder update = Update.newBuilder().setOccurredAt(timestamp(clock.instant()));
            change.accept(update);
            offer(update.build());
        });
    }

    /** Reports an update as it is. */
    void report(Update update) {
        guarded(() -> offer(update));
    }

    void append(String entryId, TextField field, String text) {
        guarded(() -> {
            counters.reported.increment();
            if (!StreamKey.isId(entryId) || field.getNumber() <= 0) {
                outbox.inbox.leaveOut(1, "an append to \"" + Utf8.firstCharacters(entryId, 64) + "\" " + field);
                mailbox.look(outbox);
            } else if (outbox.inbox.append(new TextKey(entryId, field), text, timestamp(clock.instant()))) {
                mailbox.look(outbox);
            } else if (budget.pressed()) {
                // Joined it takes less: not in a moment but now.
                mailbox.look(outbox);
                mailbox.call();
            } else {
                mailbox.noticed();
            }
        });
    }

    /** Does something that must neither throw nor happen after the close. */
    void guarded(Runnable call) {
        try {
            if (open.getAsBoolean()) {
                call.run();
            } else {
                counters.ignored.increment();
            }
        } catch (Throwable thrown) {
            // Whatever it is, a null or the end of memory: the agent's run is worth more than its report.
            counters.failedCalls.increment();
            if (!complained) {
                complained = true;
                logger.warn(
                        "A report of {} failed and was left out; the next ones are only counted", outbox.key, thrown);
            }
        }
    }

    /** A text as UTF-8 can carry it. */
    String text(String value) {
        return Utf8.wellFormed(value, counters);
    }

    /** A text of at most so many characters. */
    String cut(String value, int characters) {
        String text = Utf8.firstCharacters(text(value), characters);
        if (text.length() < value.length()) {
            counters.truncated.increment();
        }
        return text;
    }

    String name(String value) {
        return cut(value, Limits.NAME_CHARACTERS);
    }

    /** What an execution was given: cut where the contract ends, since it comes with what names the execution. */
    String input(String value) {
        String text = Utf8.firstBytes(text(value), Limits.INPUT);
        if (text.length() < value.length()) {
            counters.truncated.increment();
        }
        return text;
    }

    Failure failure(String code, String message, boolean retryable) {
        return Failure.newBuilder()
                .setCode(cut(code, Limits.CODE_CHARACTERS))
                .setMessage(cut(message, Limits.FAILURE_CHARACTERS))
                .setRetryable(retryable)
                .build();
    }

    private void offer(Update update) {
        counters.reported.increment();
        if (outbox.inbox.offer(update)) {
            mailbox.look(outbox);
        } else {
            counters.ignored.increment();
        }
    }

    private static Timestamp timestamp(Instant instant) {
        return Timestamp.newBuilder()
                .setSeconds(instant.getEpochSecond())
                .setNanos(instant.getNano())
                .build();
    }
}
