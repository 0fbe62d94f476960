package dev.runcast.cli;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Properties;

/**
 * The file in which a running local stack says where it listens, so that commands find it on whatever
 * ports it got: {@code local-stack.properties} in {@code $XDG_STATE_HOME/runcast}.
 */
public final class LocalStackFile {
    /** The key of the HTTP door's host:port. */
    public static final String API_HTTP = "api.http";

    /** The key of the people's gRPC door's host:port. */
    public static final String API_GRPC = "api.grpc";

    /** The key of the runners' gRPC door's host:port. */
    public static final String INGEST_GRPC = "ingest.grpc";

    private LocalStackFile() {}

    /** Where the file lies for this user, whether or not a stack runs. */
    public static Path path() {
        String state = System.getenv("XDG_STATE_HOME");
        Path base = state == null || state.isEmpty()
                ? Path.of(System.getProperty("user.home"), ".local", "state")
                : Path.of(state);
        return base.resolve("runcast").resolve("local-stack.properties");
    }

    /**
     * What the running stack wrote; empty when none runs.
     *
     * @throws UncheckedIOException when the file is there and cannot be read
     */
    public static Properties read() {
        Properties properties = new Properties();
        Path path = path();
        if (Files.exists(path)) {
            try (Reader reader = Files.newBufferedReader(path)) {
                properties.load(reader);
            } catch (IOException e) {
                throw new UncheckedIOException("cannot read " + path, e);
            }
        }
        return properties;
    }

    /** Says where this process listens; a stack that was started before is no longer found. */
    public static void write(Map<String, String> addresses) throws IOException {
        Properties properties = new Properties();
        properties.putAll(addresses);
        Path path = path();
        Files.createDirectories(path.getParent());
        Path whole = Files.createTempFile(path.getParent(), "local-stack", ".tmp");
        try (Writer writer = Files.newBufferedWriter(whole)) {
            properties.store(writer, null);
        }
        // Readers see the old file or the new one, never half of one.
        Files.move(whole, path, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    }

    /** Takes the file away if this process wrote it. */
    public static void remove() throws IOException {
        if (Long.toString(ProcessHandle.current().pid()).equals(read().getProperty("pid"))) {
            Files.deleteIfExists(path());
        }
    }
}
