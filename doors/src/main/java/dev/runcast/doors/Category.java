package dev.runcast.doors;

/** Whose a failure is: who should do something about it, and how it is counted. */
public enum Category {
    /** The caller's: the same call will fail again. */
    CALLER,
    /** Ours: a bug. */
    OURS,
    /** Something that we need is not there: the same call may succeed when it is back. */
    DEPENDENCY,
    /** We are full, or about to stop: the same call may succeed later or elsewhere. */
    CAPACITY
}
