package dev.runcast.api.watch;

import java.time.Duration;

/**
 * How watching is done.
 *
 * @param pollEvery how often the store is asked for news of a watched execution: the longest that viewers wait when the
 *     bell is silent
 * @param bookmarkEvery how often a viewer without news gets a sign of life
 * @param ringChanges how many changes a feed keeps for slow viewers, 2 or greater
 * @param ringBytes how many bytes they may have
 * @param storeTimeout how long an answer of the store may take
 */
public record WatchSettings(
        Duration pollEvery, Duration bookmarkEvery, int ringChanges, long ringBytes, Duration storeTimeout) {
    /** What is used unless told otherwise. */
    public static final WatchSettings DEFAULT =
            new WatchSettings(Duration.ofSeconds(1), Duration.ofSeconds(10), 1024, 1024 * 1024, Duration.ofSeconds(10));

    /** @throws IllegalArgumentException when a value is out of range */
    public WatchSettings {
        requirePositive("poll-every", pollEvery);
        requirePositive("bookmark-every", bookmarkEvery);
        requirePositive("store-timeout", storeTimeout);
        if (ringChanges < 2) {
            throw new IllegalArgumentException("ring-changes: %d (expected: 2 or greater)".formatted(ringChanges));
        }
        if (ringBytes < 1) {
            throw new IllegalArgumentException("ring-bytes: %d (expected: 1 or greater)".formatted(ringBytes));
        }
    }

    /** How long what a viewer has seen is waited for when the store does not have it: a minute by default. */
    Duration patience() {
        return bookmarkEvery.multipliedBy(FeedState.PATIENCE_TICKS);
    }

    private static void requirePositive(String name, Duration value) {
        if (value.isZero() || value.isNegative()) {
            throw new IllegalArgumentException("%s: %s (expected: longer than 0)".formatted(name, value));
        }
    }
}
