package dev.runcast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextArgumentTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void textIsItself() {
        assertThat(TextArgument.read("a@b")).isEqualTo("a@b");
        assertThat(TextArgument.read("")).isEmpty();
        assertThat(TextArgument.read("@@dana look")).isEqualTo("@dana look");
    }

    @Test
    void fileIsReadByteForByte() throws IOException {
        Path file = Files.writeString(folder.resolve("input"), "über\n\n");
        assertThat(TextArgument.read("@" + file)).isEqualTo("über\n\n");
    }

    @Test
    void whatCannotBeReadIsNamed() throws IOException {
        assertThatThrownBy(() -> TextArgument.read("@" + folder.resolve("none")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("none: no such file");
        Path bytes = Files.write(folder.resolve("bytes"), new byte[] {(byte) 0xff});
        assertThatThrownBy(() -> TextArgument.read("@" + bytes)).hasMessageContaining("not UTF-8");
    }
}
