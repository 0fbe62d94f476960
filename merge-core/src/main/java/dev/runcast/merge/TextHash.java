package dev.runcast.merge;

import com.google.protobuf.ByteString;

/**
 * Polynomial hash of bytes modulo the Mersenne prime 2^61 - 1 (Karp and Rabin 1987). The hash of a whole follows from
 * the hashes of its parts, so a text can grow, be cut where it is marked and be compared in pieces without being kept.
 *
 * <p>{@code hash(b1…bn) = Σ (bi + 1) · BASE^(n-i)}. Chance collisions are one in 2^61 for two texts of one length;
 * nothing defends against texts that are made to collide, since whoever could write them may write the text anyway.
 */
final class TextHash {
    static final long EMPTY = 0;
    private static final long PRIME = (1L << 61) - 1;
    /** Any number below the prime does; this one was drawn at random. It is part of the rules. */
    private static final long BASE = 0x0a3c_59f1_7d2e_864bL;

    /*
     * Horner's rule waits for each multiplication before it can begin the next. So eight bytes are summed up at a time,
     * as digits that are multiplied with the powers of the base independently: each power cut in two, so that the sums
     * stay below 2^63 and one reduction does for all eight.
     */
    private static final int BLOCK = 8;
    /** {@code BASE^(7-k)} for the k-th byte of a block: all bits above the lowest 32. */
    private static final long[] HIGH = new long[BLOCK];
    /** The same: the lowest 32 bits. */
    private static final long[] LOW = new long[BLOCK];

    private static final long BLOCK_BASE = power(BLOCK);

    static {
        for (int k = 0; k < BLOCK; k++) {
            long power = power(BLOCK - 1 - k);
            HIGH[k] = power >>> 32;
            LOW[k] = power & 0xffff_ffffL;
        }
    }

    private TextHash() {}

    static long of(ByteString bytes) {
        return goOn(EMPTY, bytes);
    }

    /** The hash of a text that goes on with these bytes. */
    static long goOn(long beginning, ByteString text) {
        byte[] bytes = text.toByteArray();
        long hash = beginning;
        int i = 0;
        for (; i <= bytes.length - BLOCK; i += BLOCK) {
            long high = 0;
            long low = 0;
            for (int k = 0; k < BLOCK; k++) {
                long digit = (bytes[i + k] & 0xffL) + 1;
                high += digit * HIGH[k];
                low += digit * LOW[k];
            }
            // high·2^32 in the form that multiply reduces; neither sum nor this comes near 2^63.
            long block = reduce(low + (high >>> 29) + ((high & (1L << 29) - 1) << 32));
            hash = add(multiply(hash, BLOCK_BASE), block);
        }
        for (; i < bytes.length; i++) {
            hash = add(multiply(hash, BASE), (bytes[i] & 0xffL) + 1);
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

    /** Of a number that is not negative. */
    private static long reduce(long value) {
        return add(value & PRIME, value >>> 61);
    }

    private static long multiply(long a, long b) {
        long low = a * b;
        long high = Math.multiplyHigh(a, b);
        // a·b = (high·8 + low's top 3 bits)·2^61 + low's other bits, and 2^61 is 1 modulo the prime.
        return add(low & PRIME, high << 3 | low >>> 61);
    }
}
