package dev.runcast.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The layout of a data folder, by number, so that another build does not misread it. */
final class DataVersion {
    private static final String CURRENT = "2";

    private DataVersion() {}

    /**
     * Takes a folder into use: a new or empty one becomes one of this version.
     *
     * @throws StackException when it cannot be written, or is another version's
     */
    static void take(Path folder) {
        Path file = folder.resolve("VERSION");
        try {
            Files.createDirectories(folder);
            if (Files.exists(file)) {
                String found = Files.readString(file).strip();
                if (!found.equals(CURRENT)) {
                    throw new StackException("data folder %s: version %s (expected: %s; give another --data)"
                            .formatted(folder, found, CURRENT));
                }
            } else {
                Files.writeString(file, CURRENT + "\n");
            }
        } catch (IOException e) {
            throw new StackException(
                    "data folder %s: cannot be written: %s (expected: a folder of yours)".formatted(folder, e), e);
        }
    }
}
