package dev.runcast.merge;

import com.google.protobuf.ByteString;

/**
 * Polynomial hash of bytes modulo the Mersenne prime 2^61 - 1 (Karp and Rabin 1987). The hash of a whole follows from
 * the hashes of its parts, so a text can grow, be cut where it is marked and be compared in pieces without being kept.
 *
 * <p>{@code hash(b1…bn) = Σ (bi + 1) · BASE^(n-i)}: Horner's rule, one multiplication a byte. Chance collisions are
 * one in 2^61 for two texts of one length; nothing defends against texts that are made to collide, since whoever
 * could write them may write the text anyway.
 */
final class TextHash {
    static final long EMPTY = 0;
    private static final long PRIME = (1L << 61) - 1;
    /** Any number below the prime does; this one was drawn at random. It is part of the rules. */
    private static final long BASE = 0x0a3c_59f1_7d2e_864bL;

    private TextHash() {}

    static long of(ByteString bytes) {
        return goOn(EMPTY, bytes);
    }

    /** The hash of a text that goes on with these bytes. */
    static long goOn(long beginning, ByteString bytes) {
        long hash = beginning;
        for (int i = 0, n = bytes.size(); i < n; i++) {
            hash = add(multiply(hash, BASE), (bytes.byteAt(i) & 0xff) + 1);
        }
        return hash;
    }

    /** The hash of what follows a beginning. */
    static long rest(long whole, long beginning, long restLength) {
        long hash = whole - multiply(beginning, power(restLength));
        return hash < 0 ? hash + PRIME : hash;
    }

    private static long power(long exponent) {
        long result = 1;
        long square = BASE;
        for (long e = exponent; e > 0; e >>= 1) {
            if ((e & 1) != 0) {
                result = multiply(result, square);
            }
            square = multiply(square, square);
        }
        return result;
    }

    private static long add(long a, long b) {
        long sum = a + b;
        return sum >= PRIME ? sum - PRIME : sum;
    }

    private static long multiply(long a, long b) {
        long low = a * b;
        long high = Math.multiplyHigh(a, b);
        // a·b = (high·8 + low's top 3 bits)·2^61 + low's other bits, and 2^61 is 1 modulo the prime.
        return add(low & PRIME, high << 3 | low >>> 61);
    }
}
