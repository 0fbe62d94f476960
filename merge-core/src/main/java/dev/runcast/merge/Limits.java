package dev.runcast.merge;

import java.time.Duration;

/** Every bound that the merge keeps, in one place. Part of the rules: a released number never changes. */
final class Limits {
    /** One update, serialized. */
    static final int UPDATE_BYTES = 256 * 1024;
    /** A record of changes, unless a single change is larger. */
    static final int CHANGE_BATCH_BYTES = 512 * 1024;
    /** One text of an entry; what is larger is a Reference. */
    static final long TEXT_BYTES = 8L * 1024 * 1024;
    /** The record of an entry, without its texts. All valid fields at their limits fit. */
    static final int ENTRY_RECORD_BYTES = 64 * 1024;
    /**
     * What an upsert leaves free in a record for what others do to the entry: a decision with its comment and who made
     * it, a step's new content in a list of todos, new texts, and the version, time and state of any settlement.
     */
    static final int SETTLEMENT_BYTES = 8 * 1024;
    /**
     * The records of one change. A change cannot be cut and its topic takes 36 MiB; 512 settled entries and one more
     * always fit, two whole lists of todos beside them may not.
     */
    static final long CHANGE_ENTRIES_BYTES = 35L * 1024 * 1024;
    /** The records that one list of todos rewrites: a full list and what it leaves out, at their limits, are less. */
    static final int TODOS_BYTES = 1024 * 1024;
    /** Values of fields that this build does not know: parsed, each costs a hundred times its bytes. */
    static final int UNKNOWN_FIELDS = 256;
    /** What is this small is not searched for unknown fields. */
    static final int SMALL_BYTES = 2 * 1024;

    static final int OPEN_ENTRIES = 512;
    /** Streams of one attempt that are told apart by name. */
    static final int WRITERS = 32;
    /** Streams of attempts that are newer than the adopted one and have had nothing applied yet. */
    static final int WAITING_WRITERS = 32;

    static final int REMEMBERED_REQUESTS = 64;
    static final int TEXT_MARKS = 8;
    static final int TODOS = 256;
    static final int LABELS = 64;
    static final int CONTEXT = 32;
    /** Tokens or millionths of a US dollar that one model call may have used; updates that one Omitted may count. */
    static final long USAGE = 1_000_000_000_000L;
    /** Milliseconds since 1970 at the end of the year 9999, where timestamps end. */
    static final long EPOCH_MILLIS = 253_402_300_799_999L;

    /** Content still applies for this long after the end. */
    static final Duration OPEN_AFTER_END = Duration.ofHours(24);
    /** Entries leave the state this long after the end: an hour in which doors' clocks may differ. */
    static final Duration ENTRIES_KEPT = Duration.ofHours(25);
    /** After this an execution is not known any more: what comes then begins a new one under its id. */
    static final Duration KNOWN_AFTER_END = Duration.ofDays(30);
    /** Headers leave the state this long after the end: an hour in which doors' clocks may differ. */
    static final Duration HEADER_KEPT = KNOWN_AFTER_END.plusHours(1);
    /** An attempt that is older than this cannot begin an execution: it may be one that has left the state. */
    static final Duration EPOCH_AGE = Duration.ofDays(29);

    private Limits() {}
}
