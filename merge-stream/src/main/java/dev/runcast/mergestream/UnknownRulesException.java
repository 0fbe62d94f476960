package dev.runcast.mergestream;

/**
 * A batch is stamped with rules that this build does not know. Merging it by older rules would give another history
 * than a newer build gives, so the merge stops until it is upgraded.
 */
final class UnknownRulesException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnknownRulesException(String position, int rules, int newest) {
        super(position + ": rules: " + rules + " (expected: at most " + newest
                + ", the newest this build knows; upgrade merge-stream before the services that stamp newer rules)");
    }
}
