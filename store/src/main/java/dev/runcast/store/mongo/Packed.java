package dev.runcast.store.mongo;

import java.io.ByteArrayOutputStream;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/** Bytes, compressed where that makes them fewer (RFC 1951). The first byte says which. */
final class Packed {
    private static final int WORTH_TRYING = 256;
    private static final byte PLAIN = 0;
    private static final byte DEFLATED = 1;

    private Packed() {}

    static byte[] pack(byte[] bytes) {
        if (bytes.length >= WORTH_TRYING) {
            Deflater deflater = new Deflater(Deflater.BEST_SPEED, true);
            try {
                deflater.setInput(bytes);
                deflater.finish();
                // One byte less than plain: what does not fit is not worth it.
                byte[] packed = new byte[bytes.length];
                packed[0] = DEFLATED;
                int length = deflater.deflate(packed, 1, packed.length - 1);
                if (deflater.finished()) {
                    return java.util.Arrays.copyOf(packed, length + 1);
                }
            } finally {
                deflater.end();
            }
        }
        byte[] plain = new byte[bytes.length + 1];
        plain[0] = PLAIN;
        System.arraycopy(bytes, 0, plain, 1, bytes.length);
        return plain;
    }

    static byte[] unpack(byte[] packed) {
        if (packed.length == 0 || packed[0] != PLAIN && packed[0] != DEFLATED) {
            throw new IllegalStateException("packed bytes of form %s (expected: %d or %d)"
                    .formatted(packed.length == 0 ? "none" : packed[0], PLAIN, DEFLATED));
        }
        if (packed[0] == PLAIN) {
            return java.util.Arrays.copyOfRange(packed, 1, packed.length);
        }
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(packed, 1, packed.length - 1);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(packed.length * 4);
            byte[] buffer = new byte[8192];
            while (!inflater.finished()) {
                int length = inflater.inflate(buffer);
                if (length == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new IllegalStateException("packed bytes: cut short (expected: a whole stream)");
                }
                bytes.write(buffer, 0, length);
            }
            return bytes.toByteArray();
        } catch (DataFormatException e) {
            throw new IllegalStateException("packed bytes: damaged", e);
        } finally {
            inflater.end();
        }
    }
}
