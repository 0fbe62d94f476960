package dev.runcast.runner;

/** How a reporter's spool is. */
public enum SpoolState {
    /** None is configured. */
    OFF,
    /** It is about to be opened. */
    OPENING,
    /** What is reported is written to it. */
    ON,
    /** It cannot be used now: what is not sent is kept in memory only. It is tried again by itself. */
    FAILED
}
