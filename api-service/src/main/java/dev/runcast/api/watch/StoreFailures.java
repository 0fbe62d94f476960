package dev.runcast.api.watch;

import dev.runcast.doors.DoorException;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;

/** Says failures of the store. */
final class StoreFailures {
    private StoreFailures() {}

    static DoorException said(Throwable failure) {
        return failure instanceof DoorException said
                ? said
                : Failures.of(Reason.STORE_UNAVAILABLE, "the store does not answer", failure);
    }
}
