package dev.runcast.store;

import com.google.protobuf.Timestamp;

/** Timestamps as the milliseconds that lists are sorted by. */
final class Times {
    private Times() {}

    static long millis(Timestamp time) {
        return Math.addExact(Math.multiplyExact(time.getSeconds(), 1000L), time.getNanos() / 1_000_000);
    }
}
