package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import java.time.Duration;

/** Arithmetic of timestamps as the contract carries them. All values are in the range RFC 3339 can write. */
final class Times {
    private static final long MIN_SECONDS = -62_135_596_800L;
    private static final long MAX_SECONDS = 253_402_300_799L;
    private static final int NANOS = 1_000_000_000;

    private Times() {}

    static boolean isValid(Timestamp time) {
        return time.getSeconds() >= MIN_SECONDS
                && time.getSeconds() <= MAX_SECONDS
                && time.getNanos() >= 0
                && time.getNanos() < NANOS;
    }

    static int compare(Timestamp a, Timestamp b) {
        int bySeconds = Long.compare(a.getSeconds(), b.getSeconds());
        return bySeconds != 0 ? bySeconds : Integer.compare(a.getNanos(), b.getNanos());
    }

    static Timestamp later(Timestamp a, Timestamp b) {
        return compare(a, b) >= 0 ? a : b;
    }

    /** Whether more than the duration has passed between the two. */
    static boolean passed(Duration duration, Timestamp from, Timestamp to) {
        long seconds = to.getSeconds() - from.getSeconds();
        long limit = duration.toSeconds();
        return seconds > limit || seconds == limit && to.getNanos() > from.getNanos();
    }

    /** Milliseconds since 1970, rounded down. */
    static long millis(Timestamp time) {
        return time.getSeconds() * 1_000 + time.getNanos() / 1_000_000;
    }

    static String shown(Timestamp time) {
        return java.time.Instant.ofEpochSecond(time.getSeconds(), time.getNanos())
                .toString();
    }
}
