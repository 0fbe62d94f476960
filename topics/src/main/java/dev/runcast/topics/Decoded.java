package dev.runcast.topics;

/**
 * What a record turned out to be. Topics are open to whoever may reach the brokers, so a record that
 * cannot be read is a value to be handled, not an exception that stops a partition.
 *
 * @param <T> the topic's message
 */
public sealed interface Decoded<T> {
    /**
     * A readable record whose key belongs to its value.
     *
     * @param value what it says
     */
    record Value<T>(T value) implements Decoded<T> {}

    /**
     * A record without a value: on a compacted topic the end of its key, elsewhere a mistake of whoever
     * wrote it.
     */
    record Empty<T>() implements Decoded<T> {}

    /**
     * Not a record of this topic.
     *
     * @param problem for a person: what was found and what was expected
     */
    record Unreadable<T>(String problem) implements Decoded<T> {}
}
