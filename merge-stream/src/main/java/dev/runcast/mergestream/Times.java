package dev.runcast.mergestream;

import com.google.protobuf.Timestamp;

/** Protobuf's time and milliseconds since 1970. */
final class Times {
    private Times() {}

    static long millis(Timestamp time) {
        return Math.addExact(Math.multiplyExact(time.getSeconds(), 1000L), time.getNanos() / 1_000_000);
    }

    static Timestamp timestamp(long millis) {
        return Timestamp.newBuilder()
                .setSeconds(Math.floorDiv(millis, 1000L))
                .setNanos(Math.floorMod(millis, 1000) * 1_000_000)
                .build();
    }
}
