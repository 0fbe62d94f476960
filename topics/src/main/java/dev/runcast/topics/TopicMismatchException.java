package dev.runcast.topics;

/** A topic exists but is not what Runcast needs. The message names the topic, what it has and what was expected. */
public final class TopicMismatchException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TopicMismatchException(String message) {
        super(message);
    }
}
