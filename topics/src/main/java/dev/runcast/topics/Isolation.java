package dev.runcast.topics;

/** Whether a consumer waits for the transaction that a record was written in. */
public enum Isolation {
    /** Sees a record when its transaction has committed: for what writes down results. */
    COMMITTED("read_committed"),

    /**
     * Sees a record as soon as it is there: for live readers. Sound for the merge's output, because the
     * merge is deterministic: version N is the same change even when its transaction is aborted and
     * done again.
     */
    UNCOMMITTED("read_uncommitted");

    private final String configValue;

    Isolation(String configValue) {
        this.configValue = configValue;
    }

    String configValue() {
        return configValue;
    }
}
