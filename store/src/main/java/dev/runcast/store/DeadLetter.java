package dev.runcast.store;

import java.time.Instant;

/**
 * A record that could not be taken over, and where it lies: what it said stays in the log.
 *
 * @param topic the topic it lies in
 * @param partition the partition there
 * @param offset the offset there
 * @param key the record's key as far as it is readable; empty when it has none
 * @param reason why, as one upper-case word: {@code UNREADABLE}, {@code KEY_MISMATCH} or {@code VERSION_GAP}
 * @param message for a person: the value and what was expected
 * @param at when it was found
 */
public record DeadLetter(
        String topic, int partition, long offset, String key, String reason, String message, Instant at) {}
