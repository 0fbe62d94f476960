package dev.runcast.doors;

import static dev.runcast.doors.Role.OPERATOR;
import static dev.runcast.doors.Role.RUNNER;
import static dev.runcast.doors.Role.VIEWER;

import dev.runcast.v1.ExecutionServiceGrpc;
import dev.runcast.v1.IngestServiceGrpc;
import io.grpc.MethodDescriptor;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who may call what: one row for each gRPC method, by its full name such as {@code runcast.v1.IngestService/PublishUpdate},
 * and for each HTTP route, by method and pattern. What has no row is refused, so a method that somebody adds is shut
 * until a row says otherwise. Immutable.
 */
public final class Policy {
    /** The row of what needs no principal. */
    private static final Set<Role> ANYBODY = Set.of();

    /** Every gRPC method that a door of this project serves. */
    public static final Policy GRPC = builder()
            .allow(IngestServiceGrpc.getPublishUpdatesMethod(), RUNNER, OPERATOR)
            .allow(IngestServiceGrpc.getPublishUpdateMethod(), RUNNER, OPERATOR)
            .allow(ExecutionServiceGrpc.getCreateExecutionMethod(), OPERATOR)
            // A runner looks whether what it is about to run has ended already.
            .allow(ExecutionServiceGrpc.getGetExecutionMethod(), RUNNER, VIEWER, OPERATOR)
            .allow(ExecutionServiceGrpc.getListExecutionsMethod(), VIEWER, OPERATOR)
            .allow(ExecutionServiceGrpc.getListEntriesMethod(), VIEWER, OPERATOR)
            .allow(ExecutionServiceGrpc.getListChangesMethod(), VIEWER, OPERATOR)
            // A runner looks why its updates were not applied.
            .allow(ExecutionServiceGrpc.getListRejectedUpdatesMethod(), RUNNER, VIEWER, OPERATOR)
            .allow(ExecutionServiceGrpc.getWatchExecutionMethod(), VIEWER, OPERATOR)
            .allow(ExecutionServiceGrpc.getWatchExecutionsMethod(), VIEWER, OPERATOR)
            .allow(ExecutionServiceGrpc.getCancelExecutionMethod(), OPERATOR)
            .allow(ExecutionServiceGrpc.getPauseExecutionMethod(), OPERATOR)
            .allow(ExecutionServiceGrpc.getResumeExecutionMethod(), OPERATOR)
            .allow(ExecutionServiceGrpc.getRecoverExecutionMethod(), OPERATOR)
            .allow(ExecutionServiceGrpc.getDecideApprovalMethod(), OPERATOR)
            .open("grpc.health.v1.Health/Check")
            .open("grpc.health.v1.Health/Watch")
            .open("grpc.health.v1.Health/List")
            // It tells what the published contract tells, and is served only where it is switched on.
            .open("grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
            .open("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
            .build();

    private final Map<String, Set<Role>> rows;

    private Policy(Map<String, Set<Role>> rows) {
        this.rows = rows;
    }

    /** A policy without rows, to be filled. */
    public static Builder builder() {
        return new Builder();
    }

    /** Whether whoever calls this needs no principal. */
    public boolean isOpen(String name) {
        Set<Role> row = rows.get(name);
        return row != null && row.isEmpty();
    }

    /** The roles that may call this, for an open one none; null when there is no row. */
    public @Nullable Set<Role> row(String name) {
        return rows.get(name);
    }

    /** The names that have no row, in the order given: what a test wants to be empty. */
    public List<String> missing(Collection<String> names) {
        return names.stream().filter(name -> !rows.containsKey(name)).toList();
    }

    /** Whether the principal would be let through. */
    public boolean permits(String name, Principal principal) {
        Set<Role> row = rows.get(name);
        return row != null && (row.isEmpty() || row.contains(principal.role()));
    }

    /**
     * Lets the principal through or not.
     *
     * @throws DoorException PERMISSION_DENIED when the role is not in the row or there is no row
     */
    public void check(String name, Principal principal) {
        Set<Role> row = rows.get(name);
        if (row == null) {
            throw Failures.of(Reason.PERMISSION_DENIED, "%s has no policy (expected: a row for it)".formatted(name));
        }
        if (!row.isEmpty() && !row.contains(principal.role())) {
            throw Failures.of(
                    Reason.PERMISSION_DENIED,
                    "role: %s may not call %s (expected: %s)".formatted(principal.role(), name, row));
        }
    }

    /** Collects rows. Not thread-safe. */
    public static final class Builder {
        private final Map<String, Set<Role>> rows = new LinkedHashMap<>();

        private Builder() {}

        /** A row for a method of ours. */
        public Builder allow(MethodDescriptor<?, ?> method, Role first, Role... more) {
            return allow(method.getFullMethodName(), first, more);
        }

        /** A row for principals with one of these roles. */
        public Builder allow(String name, Role first, Role... more) {
            return put(name, Collections.unmodifiableSet(EnumSet.of(first, more)));
        }

        /** A row that says the same as a method's row in another policy, for a second door to the same thing. */
        public Builder like(String name, Policy other, MethodDescriptor<?, ?> method) {
            Set<Role> row = other.row(method.getFullMethodName());
            if (row == null) {
                throw new IllegalArgumentException(
                        "%s: no row (expected: a method that has one)".formatted(method.getFullMethodName()));
            }
            return put(name, row);
        }

        /** A row for everybody, with or without a principal. */
        public Builder open(String name) {
            return put(name, ANYBODY);
        }

        /** The policy with the rows so far. */
        public Policy build() {
            return new Policy(Map.copyOf(rows));
        }

        private Builder put(String name, Set<Role> row) {
            if (rows.putIfAbsent(name, row) != null) {
                throw new IllegalArgumentException("%s: two rows (expected: one)".formatted(name));
            }
            return this;
        }
    }
}
