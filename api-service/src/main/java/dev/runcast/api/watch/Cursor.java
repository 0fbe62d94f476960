package dev.runcast.api.watch;

import com.google.protobuf.Timestamp;
import dev.runcast.doors.Failures;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.v1.Execution;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Base64;
import java.util.zip.CRC32;

/**
 * Where a viewer goes on: a version in a store. As text it is opaque, so that nobody builds on its form, and bound to
 * its execution.
 *
 * @param generation where the version was seen, by {@link #generation(String, Execution)}
 * @param version the version that has been seen, 0 or greater
 */
record Cursor(String generation, long version) {
    private static final String EXPECTED = "the cursor of a frame of this execution, or none";

    /** Names the store and the execution in it: an id that is used again has versions of its own. */
    static String generation(String store, Execution execution) {
        Timestamp created = execution.getCreatedAt();
        return store + '/' + created.getSeconds() + '.' + created.getNanos();
    }

    /** Whether it was seen in this store, and of an execution that was created no earlier than at a time. */
    boolean isOf(String store, Instant earliest) {
        int end = generation.lastIndexOf('/');
        if (end < 0 || !generation.substring(0, end).equals(store)) {
            return false;
        }
        String[] created = generation.substring(end + 1).split("\\.", -1);
        try {
            return created.length == 2
                    && !Instant.ofEpochSecond(Long.parseLong(created[0]), Long.parseLong(created[1]))
                            .isBefore(earliest);
        } catch (NumberFormatException | ArithmeticException | DateTimeException e) {
            // Not as we write it.
            return false;
        }
    }

    /** The cursor as text. */
    String encode(ExecutionKey key) {
        String text =
                Long.toString(version, Character.MAX_RADIX) + '|' + sum(key, version, generation) + '|' + generation;
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /** @throws dev.runcast.doors.DoorException INVALID when the text is not a cursor of this execution */
    static Cursor decode(ExecutionKey key, String cursor) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(Base64.getUrlDecoder().decode(cursor)))
                    .toString();
            String[] parts = text.split("\\|", 3);
            if (parts.length == 3) {
                long version = Long.parseLong(parts[0], Character.MAX_RADIX);
                if (version >= 0 && parts[1].equals(sum(key, version, parts[2]))) {
                    return new Cursor(parts[2], version);
                }
            }
        } catch (IllegalArgumentException | CharacterCodingException e) {
            // Not our form: answered below like one of another execution.
        }
        throw Failures.value(Reason.INVALID, "cursor", '"' + cursor + '"', EXPECTED);
    }

    private static String sum(ExecutionKey key, long version, String generation) {
        CRC32 sum = new CRC32();
        sum.update((key + "|" + version + '|' + generation).getBytes(StandardCharsets.UTF_8));
        return Long.toString(sum.getValue(), Character.MAX_RADIX);
    }
}
