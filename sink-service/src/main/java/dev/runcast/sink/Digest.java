package dev.runcast.sink;

import dev.runcast.v1.Change;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * Stands for a history from version 1 on in 32 bytes: SHA-256 over the digest before and the next change's bytes. Equal
 * digests mean equal histories. Different ones mean only that somebody has to look, since protobuf's bytes are not
 * canonical. Not thread-safe.
 */
final class Digest {
    /** Of nothing. */
    private static final byte[] BEGIN = new byte[32];

    private final MessageDigest sha256;

    Digest() {
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    static byte[] begin() {
        return BEGIN;
    }

    byte[] after(byte[] before, Change next) {
        sha256.update(before);
        return sha256.digest(next.toByteArray());
    }
}
