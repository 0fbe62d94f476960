package dev.runcast.merge;

/**
 * What an execution is called everywhere: its tenant and its name within it. As text it is {@code tenant/execution},
 * the key of every record on every topic.
 *
 * @param tenant whose it is, from the caller's credentials
 * @param executionId its name within the tenant
 */
public record ExecutionKey(String tenant, String executionId) implements Comparable<ExecutionKey> {
    /** @throws IllegalArgumentException when one of the two is not an id */
    public ExecutionKey {
        require("tenant", tenant);
        require("execution_id", executionId);
    }

    /**
     * Reads {@code tenant/execution}.
     *
     * @throws IllegalArgumentException when the text has another form
     */
    public static ExecutionKey parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("key: %s (expected: tenant/execution)".formatted(Ids.shown(text)));
        }
        return new ExecutionKey(text.substring(0, slash), text.substring(slash + 1));
    }

    @Override
    public int compareTo(ExecutionKey other) {
        int byTenant = tenant.compareTo(other.tenant);
        return byTenant != 0 ? byTenant : executionId.compareTo(other.executionId);
    }

    /** {@code tenant/execution}. */
    @Override
    public String toString() {
        return tenant + '/' + executionId;
    }

    private static void require(String field, String value) {
        if (!Ids.isId(value)) {
            throw new IllegalArgumentException(
                    "%s: %s (expected: %s)".formatted(field, Ids.shown(value), Ids.EXPECTED));
        }
    }
}
