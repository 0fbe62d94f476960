package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LiveScreenTest {
    @Test
    void aLongLineBreaksBetweenWordsAndGoesOnUnderItsBeginning() {
        assertThat(LiveScreen.wrapped("  ai: one two three four", 14)).containsExactly("  ai: one two", "  three four");
    }

    @Test
    void aWordLongerThanTheScreenIsCut() {
        assertThat(LiveScreen.wrapped("abcdefghij", 4)).containsExactly("abcd", "efgh", "ij");
    }

    @Test
    void wideCharactersAreCountedByTheColumnsTheyTake() {
        assertThat(LiveScreen.wrapped("日本語日本語", 4)).containsExactly("日本", "語日", "本語");
    }

    @Test
    void aLineThatFitsStaysAsItIs() {
        assertThat(LiveScreen.wrapped("    fits", 20)).containsExactly("    fits");
        assertThat(LiveScreen.wrapped("", 20)).containsExactly("");
    }
}
