package dev.runcast.embedded;

import java.net.BindException;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** The life of a server: what all four share of starting, stopping, their folder and their errors. */
abstract sealed class RestartableServer implements EmbeddedServer
        permits EmbeddedKafka, EmbeddedRedis, EmbeddedMongo, EmbeddedTemporal {

    private final String name;

    private final int port;

    private final @Nullable Path dataFolder;

    private Duration startup = Duration.ZERO;

    private @Nullable DataFolder lockedFolder;

    private boolean running;

    private boolean uncleanBefore;

    /**
     * @param port 1 to 65535, or 0 for a free one, which then stays this server's for all its restarts
     * @param dataFolder null for a server that keeps nothing
     */
    RestartableServer(String name, int port, @Nullable Path dataFolder) {
        this.name = name;
        this.port = FreePorts.checkRange(port) == 0 ? FreePorts.free() : port;
        this.dataFolder = dataFolder;
    }

    /** Ends what a killed process has left running on the folder. The port is looked at after this. */
    void endLeftover(Path folder) throws Exception {}

    /** Starts the server and returns when it serves. When it throws, {@link #shutDown()} is called next. */
    abstract void launch(@Nullable Path folder) throws Exception;

    /** Stops whatever of the server there is, also after a launch that failed half-way, and returns when it is gone. */
    abstract void shutDown() throws Exception;

    /** The port it listens on, or will when it is started. */
    @Override
    public final int port() {
        return port;
    }

    @Override
    public final synchronized ServerInfo info() {
        return new ServerInfo(name, address(), startup);
    }

    @Override
    public final synchronized boolean isRunning() {
        return running;
    }

    @Override
    public final synchronized void restart() {
        stop();
        long begin = System.nanoTime();
        DataFolder folder = dataFolder == null ? null : DataFolder.open(name, dataFolder);
        try {
            if (folder != null) {
                endLeftover(folder.path());
            }
            checkPortIsFree();
            launch(folder == null ? null : folder.path());
        } catch (Exception e) {
            undoLaunch(e, folder);
            if (e instanceof EmbeddedServerException explained) {
                throw explained;
            }
            throw new EmbeddedServerException("%s did not start on %s: %s".formatted(name, address(), e), e);
        }
        lockedFolder = folder;
        uncleanBefore = folder != null && folder.uncleanBefore();
        running = true;
        startup = Duration.ofNanos(System.nanoTime() - begin);
    }

    @Override
    public final synchronized void stop() {
        if (!running) {
            return;
        }
        running = false;
        DataFolder folder = lockedFolder;
        lockedFolder = null;
        try {
            shutDown();
            if (folder != null) {
                folder.markClean();
            }
        } catch (EmbeddedServerException e) {
            throw e;
        } catch (Exception e) {
            throw new EmbeddedServerException("%s on %s did not stop cleanly: %s".formatted(name, address(), e), e);
        } finally {
            if (folder != null) {
                folder.close();
            }
        }
    }

    @Override
    public final void close() {
        stop();
    }

    /** Whether the folder, when this server last started, was left behind by one that had not stopped cleanly. */
    final synchronized boolean uncleanBefore() {
        return uncleanBefore;
    }

    final String address() {
        return "127.0.0.1:" + port;
    }

    private void checkPortIsFree() {
        if (!FreePorts.isFree(port)) {
            throw new EmbeddedServerException(
                    "%s port: %d is taken (expected: a port of 127.0.0.1 that nothing listens on, or 0 for any free one)"
                            .formatted(name, port),
                    new BindException("Address already in use"));
        }
    }

    private void undoLaunch(Exception failure, @Nullable DataFolder folder) {
        if (failure instanceof InterruptedException) {
            Thread.currentThread().interrupt();
        }
        try {
            shutDown();
            // Nobody was served, so the folder is as clean as it was before.
            if (folder != null && !folder.uncleanBefore()) {
                folder.markClean();
            }
        } catch (Exception e) {
            failure.addSuppressed(e);
        } finally {
            if (folder != null) {
                folder.close();
            }
        }
    }
}
