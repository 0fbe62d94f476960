package dev.runcast.store;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.Execution;
import java.nio.charset.StandardCharsets;

/**
 * What goes over a channel. On {@code runcast:tenant:execution} the bytes of a {@code ChangeBatch}, or, where those are
 * over 64 KiB, the text {@code fetch VERSION}, with which no ChangeBatch begins. On {@code runcast:tenant} the bytes of
 * an {@code Execution}.
 */
public final class RingCodec {
    /** The most bytes of changes that go over a channel. */
    public static final int MAX_BYTES = 64 * 1024;

    private static final String FETCH = "fetch ";

    private RingCodec() {}

    /** The channel of an execution. */
    public static String channel(ExecutionKey key) {
        return "runcast:" + key.tenant() + ':' + key.executionId();
    }

    /** The channel of a tenant. */
    public static String channel(String tenant) {
        return "runcast:" + tenant;
    }

    /** Changes, or where to fetch them. */
    public static byte[] encode(ChangeBatch batch) {
        if (batch.getSerializedSize() <= MAX_BYTES) {
            return batch.toByteArray();
        }
        long version = batch.getChanges(batch.getChangesCount() - 1).getVersion();
        return (FETCH + version).getBytes(StandardCharsets.US_ASCII);
    }

    /** What came over an execution's channel. What cannot be read says that there is something to fetch. */
    public static Ring decodeChanges(byte[] bytes) {
        String text = new String(bytes, 0, Math.min(bytes.length, 32), StandardCharsets.US_ASCII);
        if (text.startsWith(FETCH)) {
            try {
                return new Ring.Fetch(Long.parseLong(text.substring(FETCH.length())));
            } catch (NumberFormatException e) {
                return new Ring.Fetch(0);
            }
        }
        try {
            return new Ring.Changes(ChangeBatch.parseFrom(bytes));
        } catch (InvalidProtocolBufferException e) {
            return new Ring.Fetch(0);
        }
    }

    /** What came over a tenant's channel. */
    public static Ring decodeRow(byte[] bytes) {
        try {
            return new Ring.Row(Execution.parseFrom(bytes));
        } catch (InvalidProtocolBufferException e) {
            return new Ring.Fetch(0);
        }
    }
}
