package dev.runcast.sink;

import dev.runcast.store.DeadLetter;
import dev.runcast.topics.Decoded;
import dev.runcast.topics.RecordCodec;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes dead letters and, once they are stored, counts them and says so. Thread-safe. */
final class DeadLetters {
    /** It is not what the topic holds. */
    static final String UNREADABLE = "UNREADABLE";

    /** Versions are missing before it: the execution must be repaired from the log. */
    static final String VERSION_GAP = "VERSION_GAP";

    /** The store can never take it. */
    static final String UNSTORABLE = "UNSTORABLE";

    private static final Logger LOG = LoggerFactory.getLogger(DeadLetters.class);
    private static final int KEY_BYTES = 160;

    private final FeedProgress progress;
    private final InstantSource clock;

    DeadLetters(FeedProgress progress, InstantSource clock) {
        this.progress = progress;
        this.clock = clock;
    }

    DeadLetter unreadable(ConsumerRecord<byte[], byte[]> record, Decoded<?> decoded) {
        String problem = decoded instanceof Decoded.Unreadable<?> unreadable
                ? unreadable.problem()
                : "value: null (expected: a message of %s)".formatted(record.topic());
        return letter(record, UNREADABLE, problem);
    }

    DeadLetter letter(ConsumerRecord<byte[], byte[]> record, String reason, String message) {
        return new DeadLetter(
                record.topic(),
                record.partition(),
                record.offset(),
                shown(record.key()),
                reason,
                message,
                clock.instant());
    }

    void written(List<DeadLetter> letters) {
        for (DeadLetter letter : letters) {
            progress.counter("dead.letters").increment();
            LOG.error(
                    "{} of {}: {}: {}",
                    RecordCodec.position(letter.topic(), letter.partition(), letter.offset()),
                    letter.key(),
                    letter.reason(),
                    letter.message());
        }
    }

    private static String shown(byte @Nullable [] key) {
        if (key == null) {
            return "";
        }
        StringBuilder shown = new StringBuilder();
        new String(key, 0, Math.min(key.length, KEY_BYTES), StandardCharsets.UTF_8)
                .codePoints()
                .map(c -> Character.isISOControl(c) ? '?' : c)
                .forEach(shown::appendCodePoint);
        return shown.toString();
    }
}
