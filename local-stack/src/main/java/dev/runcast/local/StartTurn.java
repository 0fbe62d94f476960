package dev.runcast.local;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Lets one stack of a user start at a time on a machine, from the choice of its ports until it listens on them: two that
 * start at once would choose the same. The operating system gives the turn back when a process dies. Thread-safe.
 */
final class StartTurn implements AutoCloseable {
    private static final ReentrantLock IN_THIS_PROCESS = new ReentrantLock();

    private final @Nullable FileChannel file;

    private StartTurn(@Nullable FileChannel file) {
        this.file = file;
    }

    /** Waits until nobody else starts, and says so when it has to. Without a file to lock it is not kept from others. */
    static StartTurn await(Consumer<String> progress) {
        IN_THIS_PROCESS.lock();
        Path path = Path.of(
                System.getProperty("java.io.tmpdir"), "runcast-start-" + System.getProperty("user.name") + ".lock");
        FileChannel file = null;
        try {
            file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            if (file.tryLock() == null) {
                progress.accept("another stack is starting: waiting for its ports to be known");
                file.lock();
            }
        } catch (IOException noFile) {
            progress.accept("%s cannot be locked (%s): a stack that starts at this moment may choose the same ports"
                    .formatted(path, Files.exists(path) ? noFile.getMessage() : "it cannot be made"));
        }
        return new StartTurn(file);
    }

    @Override
    public void close() {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException locked) {
            // It is given back at the end of the process.
        } finally {
            IN_THIS_PROCESS.unlock();
        }
    }
}
