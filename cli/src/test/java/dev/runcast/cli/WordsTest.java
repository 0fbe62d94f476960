package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WordsTest {
    @Test
    void aTextThatAnAgentWroteCannotSteerTheTerminal() {
        assertThat(Words.harmless("a\u001b[2Jb\u0007c\u009bd\te\nf")).isEqualTo("a␛[2Jb␇c\uFFFDd\te\nf");
        assertThat(Words.harmless("a\u202eb\u2066c")).isEqualTo("a\uFFFDb\uFFFDc");
        assertThat(Words.shortened("a\u202eb\u001bc", 10)).isEqualTo("a b c");
    }

    @Test
    void aTextWithoutControlCharactersIsTheSameObject() {
        String text = "plain 日本語 🙂\n";
        assertThat(Words.harmless(text)).isSameAs(text);
    }

    @Test
    void aLongTextIsCutBetweenCharactersAndSaysSo() {
        assertThat(Words.shortened("🙂🙂🙂🙂", 3)).isEqualTo("🙂🙂…");
        assertThat(Words.shortened("🙂🙂🙂", 3)).isEqualTo("🙂🙂🙂");
        assertThat(Words.shortened("two\nlines", 20)).isEqualTo("two lines");
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 ms",
        "999, 999 ms",
        "1000, 1.0 s",
        "59999, 60.0 s",
        "60000, 1 min 0 s",
        "200500, 3 min 20 s",
        "-5, 0 ms"
    })
    void aDurationReadsAsAPersonSaysIt(long millis, String words) {
        assertThat(Words.seconds(millis)).isEqualTo(words);
    }
}
