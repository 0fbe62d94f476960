package dev.runcast.merge;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** The keys of the store; runcast/state/v1/state.proto has the table of them and of their values. */
final class StateKeys {
    static final char HEADER = 'h';
    static final char SPEC = 's';
    static final char INPUT = 'i';
    static final char ATTRIBUTES = 'a';
    static final char OUTCOME = 'f';
    static final char ATTEMPT = 'w';
    static final char ENTRY = 'e';
    static final char OPEN = 'o';
    static final char TODOS = 't';
    static final char REQUEST = 'r';
    static final char REQUEST_SLOT = 'q';
    static final char ENTRIES_LEAVE = 'x';
    static final char HEADER_LEAVES = 'z';

    private static final int ORDINAL_BYTES = Long.BYTES;

    private final byte[] execution;

    StateKeys(ExecutionKey key) {
        execution = key.toString().getBytes(StandardCharsets.US_ASCII);
    }

    /** The key of a kind of which an execution has one. */
    byte[] one(char kind) {
        byte[] key = new byte[1 + execution.length];
        key[0] = (byte) kind;
        System.arraycopy(execution, 0, key, 1, execution.length);
        return key;
    }

    /** The key of a kind of which an execution has many. */
    byte[] many(char kind, String name) {
        byte[] key = prefix(kind, name.length());
        for (int i = 0, at = execution.length + 2; i < name.length(); i++) {
            key[at + i] = (byte) name.charAt(i);
        }
        return key;
    }

    /** What all keys of a kind of which an execution has many begin with. */
    byte[] prefix(char kind) {
        return prefix(kind, 0);
    }

    byte[] slot(int slot) {
        byte[] key = prefix(REQUEST_SLOT, 1);
        key[key.length - 1] = (byte) slot;
        return key;
    }

    byte[] open(long ordinal, String entryId) {
        byte[] id = entryId.getBytes(StandardCharsets.US_ASCII);
        byte[] key = prefix(OPEN, ORDINAL_BYTES + id.length);
        putLong(key, execution.length + 2, ordinal);
        System.arraycopy(id, 0, key, key.length - id.length, id.length);
        return key;
    }

    /** The entry that a key made by {@link #open} names. */
    String openEntry(byte[] key) {
        int from = execution.length + 2 + ORDINAL_BYTES;
        return new String(key, from, key.length - from, StandardCharsets.US_ASCII);
    }

    byte[] leave(char kind, long endMillis) {
        byte[] key = new byte[1 + Long.BYTES + execution.length];
        key[0] = (byte) kind;
        putLong(key, 1, endMillis);
        System.arraycopy(execution, 0, key, 1 + Long.BYTES, execution.length);
        return key;
    }

    /** The time in a key made by {@link #leave}, in milliseconds since 1970. */
    static long leaveMillis(byte[] key) {
        long value = 0;
        for (int i = 1; i <= Long.BYTES; i++) {
            value = value << 8 | key[i] & 0xff;
        }
        return value;
    }

    /** The execution in a key made by {@link #leave}. */
    static ExecutionKey leaveExecution(byte[] key) {
        return ExecutionKey.parse(
                new String(Arrays.copyOfRange(key, 1 + Long.BYTES, key.length), StandardCharsets.US_ASCII));
    }

    private byte[] prefix(char kind, int room) {
        byte[] key = new byte[execution.length + 2 + room];
        key[0] = (byte) kind;
        System.arraycopy(execution, 0, key, 1, execution.length);
        key[execution.length + 1] = '/';
        return key;
    }

    private static void putLong(byte[] to, int at, long value) {
        for (int i = 0; i < Long.BYTES; i++) {
            to[at + i] = (byte) (value >>> 56 - 8 * i);
        }
    }
}
