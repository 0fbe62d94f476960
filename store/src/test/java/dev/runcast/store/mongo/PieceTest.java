package dev.runcast.store.mongo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import java.util.List;
import org.junit.jupiter.api.Test;

class PieceTest {
    @Test
    void newestStatementSaysHowTheTextEnds() {
        assertThat(text(piece(1, 1, 0, "abcdef"), piece(2, 2, 6, "ghi"), piece(3, 3, 3, "X")))
                .isEqualTo("abcX");
    }

    @Test
    void overlappingStatementsOfOneTextAgree() {
        assertThat(text(piece(1, 3, 0, "abc"), piece(4, 5, 3, "de"), piece(1, 5, 0, "abcde"), piece(5, 5, 4, "e")))
                .isEqualTo("abcde");
    }

    @Test
    void textMayBecomeEmptyAndGrowAgain() {
        assertThat(text(piece(1, 1, 0, "abc"), piece(2, 2, 0, ""))).isEmpty();
        assertThat(text(piece(1, 1, 0, "abc"), piece(2, 2, 0, ""), piece(3, 3, 0, "x")))
                .isEqualTo("x");
        assertThat(text()).isEmpty();
    }

    @Test
    void holeIsAnErrorAndNotAShorterText() {
        assertThatThrownBy(() -> text(piece(1, 1, 0, "ab"), piece(3, 3, 4, "e")))
                .hasMessage("text: nothing is stored right before byte 4 (expected: all from byte 0)");
    }

    @Test
    void joinedStatementsSayTheSame() {
        Piece joined = piece(1, 1, 0, "abc").join(piece(2, 2, 2, "xyz"));
        assertThat(joined).isEqualTo(piece(1, 2, 0, "abxyz"));
        assertThat(joined.name()).isEqualTo("v1-2");
        assertThat(Piece.named("v1-2", 0, ByteString.copyFromUtf8("abxyz"))).isEqualTo(joined);
        assertThat(piece(1, 1, 2, "abc").joins(piece(2, 2, 1, "x"), 100)).isFalse();
        assertThat(piece(127, 127, 0, "a").joins(piece(128, 128, 1, "b"), 100)).isFalse();
        assertThat(piece(1, 1, 0, "abc").joins(piece(2, 2, 3, "d"), 3)).isFalse();
    }

    @Test
    void packedBytesComeBackAndAreNeverMuchLonger() {
        for (int length : new int[] {0, 1, 255, 256, 100_000}) {
            byte[] zeros = new byte[length];
            byte[] noise = new byte[length];
            new java.util.Random(length).nextBytes(noise);
            assertThat(Packed.unpack(Packed.pack(zeros))).isEqualTo(zeros);
            assertThat(Packed.unpack(Packed.pack(noise))).isEqualTo(noise);
            assertThat(Packed.pack(noise).length).isLessThanOrEqualTo(length + 1);
        }
        assertThat(Packed.pack(new byte[100_000]).length).isLessThan(1000);
        assertThatThrownBy(() -> Packed.unpack(new byte[] {7})).isInstanceOf(IllegalStateException.class);
    }

    private static String text(Piece... pieces) {
        return Piece.text(List.of(pieces), "text").toStringUtf8();
    }

    private static Piece piece(long first, long last, long offset, String text) {
        return new Piece(first, last, 0, offset, ByteString.copyFromUtf8(text));
    }
}
