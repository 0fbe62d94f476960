package dev.runcast.runner;

import java.nio.file.Path;
import java.util.Objects;

/**
 * Where a {@link StatusReporter} keeps on disk what is not durable in Runcast yet. One process uses a folder at a time;
 * the next one that is given the same folder goes on where it left off.
 *
 * @param directory the folder; made when it does not exist, for its owner alone
 * @param maxBytes the most that its files may take: 2 MiB or more, and at least twice the reporter's memory
 */
public record SpoolSettings(Path directory, long maxBytes) {
    private static final long LEAST = 2L * 1024 * 1024;
    private static final long DEFAULT = 256L * 1024 * 1024;

    /**
     * Validates the size.
     *
     * @throws IllegalArgumentException with the value and what was expected
     */
    public SpoolSettings {
        Objects.requireNonNull(directory, "directory");
        if (maxBytes < LEAST) {
            throw new IllegalArgumentException("spool.maxBytes: " + maxBytes + " (expected: " + LEAST + " or more)");
        }
    }

    /** A spool of at most 256 MiB. */
    public static SpoolSettings in(Path directory) {
        return new SpoolSettings(directory, DEFAULT);
    }

    /** The same with another bound, in bytes. */
    public SpoolSettings withMaxBytes(long value) {
        return new SpoolSettings(directory, value);
    }
}
