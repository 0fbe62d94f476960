package dev.runcast.doors;

/** What a caller is trusted with, always within its own tenant. */
public enum Role {
    /** Reports executions, and reads the executions it reports. */
    RUNNER,
    /** Reads and watches. */
    VIEWER,
    /** Does everything: reports, reads, and asks for executions to begin, hold, go on and end. */
    OPERATOR
}
