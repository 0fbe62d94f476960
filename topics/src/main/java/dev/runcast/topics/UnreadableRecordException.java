package dev.runcast.topics;

/** A record is not what its topic holds. The message names topic, partition and offset, what was found and what was expected. */
public final class UnreadableRecordException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnreadableRecordException(String message) {
        super(message);
    }
}
