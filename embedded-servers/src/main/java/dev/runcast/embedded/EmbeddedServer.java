package dev.runcast.embedded;

/**
 * A server that this process started and can stop and start again. Thread-safe: starting and stopping exclude each
 * other.
 */
public sealed interface EmbeddedServer extends AutoCloseable permits RestartableServer {

    /** What started, where, and how long the latest start took. */
    ServerInfo info();

    /** Whether the server is started and has not been stopped. It says nothing about a server that broke down. */
    boolean isRunning();

    /** Stops the server cleanly and leaves its data folder as it is. Does nothing when it is stopped. */
    void stop();

    /**
     * Starts the server again with the port and the data folder it had, stopping it first when it runs.
     *
     * @throws EmbeddedServerException when it cannot start, for the reasons its first start has
     */
    void restart();

    /** The same as {@link #stop()}. */
    @Override
    void close();

    /** Where it listens, 1 to 65535; the same after every restart. */
    int port();
}
