package dev.runcast.cli;

import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A text given on the command line: itself, {@code @FILE}, or {@code -} for the standard input. */
final class TextArgument {
    private TextArgument() {}

    /**
     * The text. One that begins with {@code @} itself is written with two.
     *
     * @throws CommandFailure when it cannot be read, or is no UTF-8
     */
    static String read(String argument) {
        if (argument.equals("-")) {
            return text("the standard input", System.in::readAllBytes);
        }
        if (argument.startsWith("@@") || !argument.startsWith("@")) {
            return argument.startsWith("@@") ? argument.substring(1) : argument;
        }
        String file = argument.substring(1);
        return text(file, () -> Files.readAllBytes(Path.of(file)));
    }

    private interface Source {
        byte[] bytes() throws IOException;
    }

    private static String text(String name, Source source) {
        try {
            return java.nio.charset.StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(java.nio.ByteBuffer.wrap(source.bytes()))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CommandFailure(name + ": not UTF-8 (expected: a text)", e);
        } catch (NoSuchFileException e) {
            throw new CommandFailure(name + ": no such file (expected: one that can be read)", e);
        } catch (IOException e) {
            throw new CommandFailure(name + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
