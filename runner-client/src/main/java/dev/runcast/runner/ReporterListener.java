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

    /** Whether streams are tried to be opened has changed. */
    default void breakerChanged(BreakerState state) {}

    /**
     * The door does not take an attempt yet, since its epoch lies more than an hour ahead: a clock is wrong, or the
     * epoch is no time in milliseconds. It is tried again by itself, for as long as it takes; what it reports waits.
     */
    default void epochAhead(String executionId, long epoch, String reason) {}

    /** The spool is open, for the first time or again; what is reported is written to it. */
    default void spoolReady() {}

    /**
     * The spool cannot be used: its folder is another process's, read-only, full, of another version. What is not sent
     * is kept in memory only, and the spool tried again by itself.
     */
    default void spoolFailed(String reason) {}

    /**
     * Something in the spool is gone: the end of a file that was being written when the process was killed, or what
     * somebody deleted or changed. Where updates are missing the history says so.
     */
    default void spoolDamaged(String what) {}

    /** The spool had so many updates of so many writers that an earlier process could not send; they are sent now. */
    default void recovered(int writers, long updates) {}

    /**
     * What an earlier process left of an attempt is dealt with.
     *
     * @param fenced a newer attempt counts or the execution has ended, so that the rest is void; else all of it is
     *     durable
     */
    default void handedOver(String executionId, String writerName, long epoch, boolean fenced) {}
}
