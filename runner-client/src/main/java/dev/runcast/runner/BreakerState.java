package dev.runcast.runner;

/** Whether a reporter tries to open streams. */
public enum BreakerState {
    /** It does, with backoff. */
    CLOSED,
    /** Ten attempts in a row failed: none is made for the longest backoff. */
    OPEN,
    /** One attempt decides which of the two it will be. */
    HALF_OPEN
}
