package dev.runcast.store;

import com.google.protobuf.Message;
import dev.runcast.v1.Change;
import dev.runcast.v1.Execution;
import java.util.function.Consumer;

/** What changes do to an execution's header, by the rule stated at {@link Execution}. */
public final class ExecutionPatch {
    private ExecutionPatch() {}

    /** The complete execution after a change. */
    public static Execution apply(Execution before, Change change) {
        Execution.Builder after = join(before, change);
        if (isEmpty(after.getSpec())) {
            after.clearSpec();
        }
        if (isEmpty(after.getAttributes())) {
            after.clearAttributes();
        }
        if (isEmpty(after.getFailure())) {
            after.clearFailure();
        }
        if (isEmpty(after.getLateOutcome())) {
            after.clearLateOutcome();
        }
        if (isEmpty(after.getAttempt())) {
            after.clearAttempt();
        }
        return after.build();
    }

    /**
     * The patch that does what the older patch and then the change do: an empty message field still clears, an absent
     * one still means unchanged.
     */
    public static Execution.Builder join(Execution older, Change change) {
        if (!change.hasExecution()) {
            return older.toBuilder().setVersion(change.getVersion()).setUpdatedAt(change.getReceivedAt());
        }
        Execution newer = change.getExecution();
        Execution.Builder joined =
                newer.toBuilder().setVersion(change.getVersion()).setUpdatedAt(change.getReceivedAt());
        keep(newer.hasSpec(), older.hasSpec(), joined::setSpec, older.getSpec());
        keep(newer.hasAttributes(), older.hasAttributes(), joined::setAttributes, older.getAttributes());
        keep(newer.hasFailure(), older.hasFailure(), joined::setFailure, older.getFailure());
        keep(newer.hasLateOutcome(), older.hasLateOutcome(), joined::setLateOutcome, older.getLateOutcome());
        keep(newer.hasAttempt(), older.hasAttempt(), joined::setAttempt, older.getAttempt());
        return joined;
    }

    /** Whether a message field clears what was there. */
    public static boolean isEmpty(Message field) {
        return field.equals(field.getDefaultInstanceForType());
    }

    private static <T> void keep(boolean inNewer, boolean inOlder, Consumer<T> setter, T older) {
        if (!inNewer && inOlder) {
            setter.accept(older);
        }
    }
}
