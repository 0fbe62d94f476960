package dev.runcast.merge;

import dev.runcast.state.v1.RequestRecord;
import dev.runcast.state.v1.RequestSlot;
import dev.runcast.v1.RejectionReason;
import java.util.List;

/**
 * The last 64 requests with their outcomes. One record for each, and a ring that says which one leaves next: a request
 * costs the same whether it is the first or the ten-thousandth.
 */
final class Requests {
    private Requests() {}

    static boolean isKnown(StateReader state, StateKeys keys, String requestId) {
        return state.get(keys.many(StateKeys.REQUEST, requestId)) != null;
    }

    /** @param number how many were remembered before this one */
    static void remember(
            StateReader state,
            StateKeys keys,
            long number,
            String requestId,
            RejectionReason refused,
            long version,
            List<StateWrite> to) {
        byte[] slotKey = keys.slot((int) (number % Limits.REMEMBERED_REQUESTS));
        RequestSlot leaving = Records.read(state, slotKey, RequestSlot.parser());
        if (leaving != null) {
            to.add(new StateWrite(keys.many(StateKeys.REQUEST, leaving.getRequestId()), null));
        }
        RequestSlot slot = RequestSlot.newBuilder().setRequestId(requestId).build();
        RequestRecord record = RequestRecord.newBuilder()
                .setRefused(refused)
                .setVersion(version)
                .build();
        to.add(new StateWrite(slotKey, slot.toByteArray()));
        to.add(new StateWrite(keys.many(StateKeys.REQUEST, requestId), record.toByteArray()));
    }
}
