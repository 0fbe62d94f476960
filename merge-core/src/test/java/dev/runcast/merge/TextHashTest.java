package dev.runcast.merge;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
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

    /** The value is stored, and so never changes. */
    @Test
    void valueIsPinned() {
        assertThat(TextHash.of(ByteString.copyFromUtf8("final"))).isEqualTo(1_600_008_835_469_868_734L);
    }
}
