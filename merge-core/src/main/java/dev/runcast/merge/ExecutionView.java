package dev.runcast.merge;

import dev.runcast.v1.Change;
import dev.runcast.v1.Entry;
import dev.runcast.v1.Execution;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a person sees of an execution, built from its changes and nothing else. Immutable: applying a change returns a
 * new view and costs what the change is large, also for a text that grows by ten thousand appends.
 */
public final class ExecutionView {
    /** Before the first change. */
    public static final ExecutionView EMPTY = new ExecutionView();

    private ExecutionView() {}

    /**
     * The view after a change.
     *
     * @throws IllegalArgumentException when the change does not follow {@link #version()} directly
     */
    public ExecutionView apply(Change change) {
        throw new UnsupportedOperationException();
    }

    /** The number of the last change applied; 0 before the first. */
    public long version() {
        throw new UnsupportedOperationException();
    }

    /** The execution, all fields complete. */
    public Execution execution() {
        throw new UnsupportedOperationException();
    }

    /** All entries in order of first appearance, texts filled in. */
    public List<Entry> entries() {
        throw new UnsupportedOperationException();
    }

    /** One entry, texts filled in; null when it has not appeared. */
    public @Nullable Entry entry(String entryId) {
        throw new UnsupportedOperationException();
    }

    /** One change with the effect of two consecutive ones. */
    public static Change fold(Change older, Change newer) {
        throw new UnsupportedOperationException();
    }
}
