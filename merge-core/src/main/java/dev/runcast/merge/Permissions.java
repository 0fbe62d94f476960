package dev.runcast.merge;

import dev.runcast.v1.RejectionReason;
import dev.runcast.v1.Update.ChangeCase;
import dev.runcast.v1.WriterKind;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Which kind of writer may say which kind of update. Which phases they may say is in {@link Phases}. */
public final class Permissions {
    private static final Set<WriterKind> ALL = EnumSet.of(
            WriterKind.WRITER_KIND_RUNNER,
            WriterKind.WRITER_KIND_WORKFLOW,
            WriterKind.WRITER_KIND_OPERATOR,
            WriterKind.WRITER_KIND_SYSTEM);
    private static final Set<WriterKind> NOT_PEOPLE =
            EnumSet.of(WriterKind.WRITER_KIND_RUNNER, WriterKind.WRITER_KIND_WORKFLOW, WriterKind.WRITER_KIND_SYSTEM);
    private static final Set<WriterKind> NOT_RUNNERS =
            EnumSet.of(WriterKind.WRITER_KIND_WORKFLOW, WriterKind.WRITER_KIND_OPERATOR, WriterKind.WRITER_KIND_SYSTEM);
    private static final Set<WriterKind> SUPERVISORS =
            EnumSet.of(WriterKind.WRITER_KIND_WORKFLOW, WriterKind.WRITER_KIND_SYSTEM);
    private static final Set<WriterKind> RUNNERS = EnumSet.of(WriterKind.WRITER_KIND_RUNNER);

    private Permissions() {}

    /** Whether this kind of writer may say this kind of update. */
    public static boolean maySay(WriterKind kind, ChangeCase change) {
        return (switch (change) {
                    case DECLARED -> ALL;
                    case ATTEMPT_STARTED,
                            PHASE_CHANGED,
                            EXECUTION_PATCHED,
                            ENTRY_UPSERTED,
                            TODOS_REPLACED,
                            TEXT_APPENDED -> NOT_PEOPLE;
                    case RECOVERED, VERDICT -> SUPERVISORS;
                    case APPROVAL_DECIDED, CONTROL_REQUESTED -> NOT_RUNNERS;
                    case OMITTED -> RUNNERS;
                    case CHANGE_NOT_SET -> Set.<WriterKind>of();
                })
                .contains(kind);
    }

    static @Nullable Refusal check(Work work, ChangeCase change) {
        return maySay(work.kind, change)
                ? null
                : Refusal.of(
                        RejectionReason.REJECTION_REASON_NOT_PERMITTED,
                        "writer: %s (expected: one that may say %s)"
                                .formatted(
                                        shown(work.kind, work.named),
                                        change.name().toLowerCase(java.util.Locale.ROOT)));
    }

    static String shown(WriterKind kind, boolean named) {
        return (named ? "a named " : "") + kind.name().replaceFirst("^WRITER_KIND_", "");
    }
}
