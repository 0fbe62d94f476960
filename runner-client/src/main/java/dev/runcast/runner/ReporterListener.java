package dev.runcast.runner;

/**
 * Told how the connection to the runners' door fares. Called on a thread of the reporter's callback executor, one call
 * after the other; what it throws is logged and counted.
 */
public interface ReporterListener {

    /** Hears nothing. */
    ReporterListener NONE = new ReporterListener() {};

    /** A stream is open. */
    default void connected() {}

    /** The stream is gone, or did not come about; the reporter tries again by itself. */
    default void disconnected(String reason) {}

    /**
     * The door does not accept the token (UNAUTHENTICATED) or what it may do (PERMISSION_DENIED). The reporter tries
     * again slowly and asks for a new token each time.
     */
    default void credentialsRefused(String reason) {}
}
