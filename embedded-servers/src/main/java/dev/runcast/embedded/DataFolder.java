package dev.runcast.embedded;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/** A server's folder while the server runs: created, proven writable, and locked against a second server. */
final class DataFolder implements AutoCloseable {

    private static final String LOCK = "embedded.lock";

    private static final String UNCLEAN = "unclean";

    private final Path path;

    private final FileChannel channel;

    private final boolean uncleanBefore;

    private DataFolder(Path path, FileChannel channel, boolean uncleanBefore) {
        this.path = path;
        this.channel = channel;
        this.uncleanBefore = uncleanBefore;
    }

    /**
     * Takes the folder and leaves the mark {@code unclean} in it until {@link #markClean()}.
     *
     * @throws EmbeddedServerException when it cannot be created or written, or another server has it
     */
    static DataFolder open(String server, Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        FileChannel channel = null;
        try {
            Files.createDirectories(absolute);
            channel = FileChannel.open(
                    absolute.resolve(LOCK),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE);
            if (tryLock(channel) == null) {
                String owner = Files.readString(absolute.resolve(LOCK)).trim();
                throw new EmbeddedServerException(
                        "%s data folder: %s is in use by process %s (expected: a folder of its own)"
                                .formatted(server, absolute, owner.isEmpty() ? "unknown" : owner));
            }
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
            Path mark = absolute.resolve(UNCLEAN);
            boolean uncleanBefore = Files.exists(mark);
            if (!uncleanBefore) {
                Files.createFile(mark);
            }
            return new DataFolder(absolute, channel, uncleanBefore);
        } catch (IOException e) {
            closeQuietly(channel);
            throw new EmbeddedServerException(
                    "%s data folder: %s (expected: a folder that can be created and written): %s"
                            .formatted(server, absolute, e),
                    e);
        } catch (RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    Path path() {
        return path;
    }

    /** Whether the server that had this folder before ended without {@link #markClean()}. */
    boolean uncleanBefore() {
        return uncleanBefore;
    }

    /** Says that the server has stopped and everything it wrote is in its files. */
    void markClean() {
        try {
            Files.deleteIfExists(path.resolve(UNCLEAN));
        } catch (IOException e) {
            throw new EmbeddedServerException("cannot remove " + path.resolve(UNCLEAN) + ": " + e, e);
        }
    }

    /** Gives the lock back and keeps the mark as it is. */
    @Override
    public void close() {
        closeQuietly(channel);
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException heldByThisProcess) {
            return null;
        }
    }

    private static void closeQuietly(@Nullable FileChannel channel) {
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (IOException lockIsGoneEitherWay) {
            // Closing gives the lock back in any case, and nothing was buffered.
        }
    }
}
