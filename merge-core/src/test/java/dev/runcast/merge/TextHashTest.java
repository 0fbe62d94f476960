package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class TextHashTest {
    @Test
    void wholeFollowsFromItsParts() {
        Random random = new Random(7);
        for (int i = 0; i < 2_000; i++) {
            byte[] bytes = new byte[random.nextInt(300)];
            random.nextBytes(bytes);
            int cut = random.nextInt(bytes.length + 1);
            ByteString whole = ByteString.copyFrom(bytes);
            long first = TextHash.of(whole.substring(0, cut));
            long second = TextHash.of(whole.substring(cut));
            long both = TextHash.of(whole);
            assertThat(TextHash.goOn(first, whole.substring(cut))).isEqualTo(both);
            assertThat(TextHash.rest(both, first, bytes.length - cut)).isEqualTo(second);
            assertThat(both).isBetween(0L, (1L << 61) - 2);
        }
    }

    @Test
    void zerosAtTheBeginningCount() {
        assertThat(TextHash.of(ByteString.copyFrom(new byte[1])))
                .isNotEqualTo(TextHash.of(ByteString.copyFrom(new byte[2])));
        assertThat(TextHash.of(ByteString.EMPTY)).isEqualTo(TextHash.EMPTY);
    }

    /** Blocks and what is left beside them make no difference to one digit at a time. */
    @Test
    void isTheSumThatItsDefinitionNames() {
        Random random = new Random(11);
        BigInteger prime = BigInteger.TWO.pow(61).subtract(BigInteger.ONE);
        BigInteger base = BigInteger.valueOf(0x0a3c_59f1_7d2e_864bL);
        for (int length = 0; length <= 600; length++) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            if (length % 7 == 0) {
                Arrays.fill(bytes, (byte) 0xff); // the largest sums
            }
            BigInteger expected = BigInteger.ZERO;
            for (byte b : bytes) {
                expected = expected.multiply(base)
                        .add(BigInteger.valueOf((b & 0xff) + 1))
                        .mod(prime);
            }
            assertThat(TextHash.of(ByteString.copyFrom(bytes))).isEqualTo(expected.longValueExact());
        }
    }

    /** The value is stored, and so never changes. */
    @Test
    void valueIsPinned() {
        assertThat(TextHash.of(ByteString.copyFromUtf8("final"))).isEqualTo(1_600_008_835_469_868_734L);
    }
}
