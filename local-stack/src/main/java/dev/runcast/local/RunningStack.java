package dev.runcast.local;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/** Where the stack listens that runs on a data folder: in {@code addresses.properties} there, while it runs. */
final class RunningStack {
    private RunningStack() {}

    /** @throws StackException when the file cannot be written */
    static void write(Path folder, Addresses addresses) {
        Properties properties = new Properties();
        properties.putAll(addresses.toProperties());
        try (Writer writer = Files.newBufferedWriter(file(folder))) {
            properties.store(writer, null);
        } catch (IOException e) {
            throw new StackException(file(folder) + " cannot be written: " + e, e);
        }
    }

    /** @throws StackException when the file cannot be removed */
    static void remove(Path folder) {
        try {
            Files.deleteIfExists(file(folder));
        } catch (IOException e) {
            throw new StackException(file(folder) + " cannot be removed: " + e, e);
        }
    }

    /**
     * What the stack said that runs on a folder, by the names of {@link Addresses#toProperties()}; null when none runs.
     * One that was killed has left its file, and is known by its process being gone.
     *
     * @throws StackException when the file is there and cannot be read
     */
    static @Nullable Properties on(Path folder) {
        if (!Files.exists(file(folder))) {
            return null;
        }
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file(folder))) {
            properties.load(reader);
        } catch (IOException e) {
            throw new StackException(file(folder) + " cannot be read: " + e, e);
        }
        String pid = properties.getProperty("pid", "");
        boolean runs = pid.matches("\\d{1,18}")
                && ProcessHandle.of(Long.parseLong(pid))
                        .map(ProcessHandle::isAlive)
                        .orElse(false);
        return runs ? properties : null;
    }

    private static Path file(Path folder) {
        return folder.resolve("addresses.properties");
    }
}
