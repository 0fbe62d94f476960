package dev.runcast.runner;

import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;

/**
 * Which sequence: that of one writer in one attempt of one execution.
 *
 * @param executionId the execution
 * @param writerName empty for the only one
 * @param epoch the attempt
 */
record StreamKey(String executionId, String writerName, long epoch) {
    private static final int MOST_CHARACTERS = 64;

    Writer writer() {
        return Writer.newBuilder()
                .setKind(WriterKind.WRITER_KIND_RUNNER)
                .setName(writerName)
                .build();
    }

    /** What is wrong with it; empty when nothing is. */
    String flaw() {
        if (!isId(executionId)) {
            return "execution id: \"" + executionId + "\" (expected: 1 to 64 of A-Z a-z 0-9 _ -, not first _ or -)";
        }
        if (!writerName.isEmpty() && !isId(writerName)) {
            return "writer name: \"" + writerName
                    + "\" (expected: empty or 1 to 64 of A-Z a-z 0-9 _ -, not first _ or -)";
        }
        return epoch < 1 ? "epoch: " + epoch + " (expected: 1 or greater, milliseconds since 1970)" : "";
    }

    /** Whether the text has the form that the contract wants of ids. */
    static boolean isId(String text) {
        if (text.isEmpty() || text.length() > MOST_CHARACTERS) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean letterOrDigit = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
            if (!letterOrDigit && (i == 0 || c != '_' && c != '-')) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return executionId + (writerName.isEmpty() ? "" : "/" + writerName) + "@" + epoch;
    }
}
