package dev.runcast.runner;

/** The contract's limits that the client itself keeps, in bytes unless named otherwise. */
final class Limits {

    /** One update, serialized. */
    static final int UPDATE = 256 * 1024;

    /** One batch, serialized, less what its own header may take. */
    static final int BATCH = 512 * 1024 - 1024;

    /** Updates in a batch. */
    static final int BATCH_UPDATES = 256;

    /** Text in one append: an update less what stands around the text. */
    static final int APPEND = UPDATE - 1024;

    /** One text of an entry. */
    static final long TEXT = 8L * 1024 * 1024;

    /** The input of an execution. */
    static final int INPUT = 128 * 1024;

    /** Characters of a reason. */
    static final int REASON_CHARACTERS = 256;

    /** Characters of a name. */
    static final int NAME_CHARACTERS = 256;

    /** Characters of a failure's code. */
    static final int CODE_CHARACTERS = 64;

    /** Characters of a failure's message. */
    static final int FAILURE_CHARACTERS = 4096;

    /** Characters of a step of a plan. */
    static final int TODO_CHARACTERS = 1024;

    private Limits() {}
}
