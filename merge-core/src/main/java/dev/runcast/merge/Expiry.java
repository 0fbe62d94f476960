package dev.runcast.merge;

import com.google.protobuf.Timestamp;
import dev.runcast.state.v1.Header;
import dev.runcast.v1.Execution;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What leaves the state. An index of keys by end time says what is due, so nothing is searched. That something has left
 * is never seen: 24 hours after the end everything is refused as CLOSED, from the header alone, and the hour until the
 * entries leave covers doors whose clocks differ. In the same way an execution is not known any more 30 days after its
 * end, by the log time of what comes and not by whether the header has left, which it does an hour later. Of one that
 * never came to a version, because only refused updates were seen, the time runs from the first of them.
 */
final class Expiry {
    private static final char[] OF_ENTRIES = {StateKeys.ENTRY, StateKeys.OPEN, StateKeys.TODOS};
    private static final char[] OF_COLD = {
        StateKeys.SPEC, StateKeys.INPUT, StateKeys.ATTRIBUTES, StateKeys.OUTCOME, StateKeys.ATTEMPT
    };
    private static final char[] OF_HEADER = {StateKeys.REQUEST, StateKeys.REQUEST_SLOT};

    private Expiry() {}

    /** Keeps the index right when a batch changes a header. */
    static void index(StateKeys keys, @Nullable Header before, Header after, List<StateWrite> to) {
        byte[] was = before == null ? null : indexKey(keys, before);
        byte[] is = indexKey(keys, after);
        if (java.util.Arrays.equals(was, is)) {
            return;
        }
        if (was != null) {
            to.add(new StateWrite(was, null));
        }
        if (is != null) {
            to.add(new StateWrite(is, new byte[0]));
        }
    }

    static List<StateWrite> due(StateReader state, Instant logTime, int limit) {
        List<StateWrite> writes = new ArrayList<>();
        for (byte[] due : state.keys(new byte[] {(byte) StateKeys.ENTRIES_LEAVE}, limit)) {
            if (writes.size() >= limit || !isDue(due, Limits.ENTRIES_KEPT, logTime)) {
                break;
            }
            entriesLeave(state, due, limit, writes);
        }
        for (byte[] due : state.keys(new byte[] {(byte) StateKeys.HEADER_LEAVES}, limit)) {
            if (writes.size() >= limit || !isDue(due, Limits.HEADER_KEPT, logTime)) {
                break;
            }
            headerLeaves(state, due, writes);
        }
        return writes;
    }

    /**
     * What a batch takes out of the state because its execution is not known any more when it comes; empty when it is
     * known.
     */
    static List<StateWrite> forgotten(StateReader state, StateKeys keys, Header header, Timestamp receivedAt) {
        Execution execution = header.getExecution();
        Timestamp from = execution.getVersion() == 0 ? header.getFirstSeen() : execution.getEndedAt();
        if ((execution.getVersion() > 0 && !execution.hasEndedAt())
                || !Rules.of(execution.getRules()).forgetsByLogTime()
                || !Times.passed(Limits.KNOWN_AFTER_END, from, receivedAt)) {
            return List.of();
        }
        List<StateWrite> writes = new ArrayList<>();
        for (char[] kinds : List.of(OF_ENTRIES, OF_COLD, OF_HEADER)) {
            for (char kind : kinds) {
                byte[] one = keys.one(kind);
                if (state.get(one) != null) {
                    writes.add(new StateWrite(one, null));
                }
                state.keys(keys.prefix(kind), Integer.MAX_VALUE).forEach(key -> writes.add(new StateWrite(key, null)));
            }
        }
        writes.add(new StateWrite(keys.one(StateKeys.HEADER), null));
        byte[] index = indexKey(keys, header);
        if (index != null) {
            writes.add(new StateWrite(index, null));
        }
        return writes;
    }

    private static void entriesLeave(StateReader state, byte[] due, int limit, List<StateWrite> to) {
        StateKeys keys = new StateKeys(StateKeys.leaveExecution(due));
        for (char kind : OF_ENTRIES) {
            List<byte[]> leaving = state.keys(keys.prefix(kind), limit);
            leaving.forEach(key -> to.add(new StateWrite(key, null)));
            if (leaving.size() >= limit) {
                return; // the rest next time: the index still has it
            }
        }
        for (char kind : OF_COLD) {
            byte[] key = keys.one(kind);
            if (state.get(key) != null) {
                to.add(new StateWrite(key, null));
            }
        }
        to.add(new StateWrite(due, null));
        Header header = Records.read(state, keys.one(StateKeys.HEADER), Header.parser());
        if (header != null) {
            to.add(new StateWrite(keys.one(StateKeys.HEADER), closed(header).toByteArray()));
            to.add(new StateWrite(keys.leave(StateKeys.HEADER_LEAVES, StateKeys.leaveMillis(due)), new byte[0]));
        }
    }

    private static void headerLeaves(StateReader state, byte[] due, List<StateWrite> to) {
        StateKeys keys = new StateKeys(StateKeys.leaveExecution(due));
        for (char kind : OF_HEADER) {
            state.keys(keys.prefix(kind), Limits.REMEMBERED_REQUESTS + 1)
                    .forEach(key -> to.add(new StateWrite(key, null)));
        }
        to.add(new StateWrite(keys.one(StateKeys.HEADER), null));
        to.add(new StateWrite(due, null));
    }

    /** What it takes to refuse whatever comes, and to number the answers to requests. */
    private static Header closed(Header header) {
        Execution execution = header.getExecution();
        return Header.newBuilder()
                .setExecution(Execution.newBuilder()
                        .setTenant(execution.getTenant())
                        .setExecutionId(execution.getExecutionId())
                        .setVersion(execution.getVersion())
                        .setPhase(execution.getPhase())
                        .setEpoch(execution.getEpoch())
                        .setMinimumEpoch(execution.getMinimumEpoch())
                        .setRules(execution.getRules())
                        .setCreatedAt(execution.getCreatedAt())
                        .setEndedAt(execution.getEndedAt()))
                .setSaid(header.getSaid())
                .setLogTime(header.getLogTime())
                .setRequests(header.getRequests())
                .setClosed(true)
                .build();
    }

    private static byte @Nullable [] indexKey(StateKeys keys, Header header) {
        Execution execution = header.getExecution();
        if (execution.getVersion() == 0) {
            return keys.leave(StateKeys.HEADER_LEAVES, millis(header.getFirstSeen()));
        }
        if (!execution.hasEndedAt()) {
            return null;
        }
        return keys.leave(
                header.getClosed() ? StateKeys.HEADER_LEAVES : StateKeys.ENTRIES_LEAVE, millis(execution.getEndedAt()));
    }

    /** Times before 1970 count as 1970, so that the order of keys is the order of times. */
    private static long millis(Timestamp time) {
        return Math.max(0, Times.millis(time));
    }

    private static boolean isDue(byte[] key, Duration kept, Instant logTime) {
        return StateKeys.leaveMillis(key) + kept.toMillis() < logTime.toEpochMilli();
    }
}
