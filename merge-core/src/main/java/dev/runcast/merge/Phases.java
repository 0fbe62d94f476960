package dev.runcast.merge;

import static dev.runcast.v1.Phase.PHASE_CANCELLED;
import static dev.runcast.v1.Phase.PHASE_COMPLETED;
import static dev.runcast.v1.Phase.PHASE_FAILED;
import static dev.runcast.v1.Phase.PHASE_PAUSED;
import static dev.runcast.v1.Phase.PHASE_PENDING;
import static dev.runcast.v1.Phase.PHASE_RUNNING;
import static dev.runcast.v1.Phase.PHASE_TERMINATED;
import static dev.runcast.v1.Phase.PHASE_WAITING_FOR_APPROVAL;

import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.WriterKind;
import java.util.Map;
import java.util.Set;

/** The two tables of phases: who may say which, and what a said phase does to the present one. */
public final class Phases {
    /** What a phase that a writer says does. */
    public enum Effect {
        /** It holds, or is already so: a change either way. */
        APPLIES,
        /** Refused as TRANSITION. */
        CANNOT_FOLLOW,
        /** Refused as ENDED: the execution has ended and this would reopen it. */
        HAS_ENDED,
        /** Recorded as the late outcome; the first outcome stays. */
        IS_RECORDED
    }

    private static final Set<Phase> LIVE = Set.of(PHASE_RUNNING, PHASE_PAUSED);
    private static final Set<Phase> TERMINAL = Set.of(PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED, PHASE_TERMINATED);

    /** For each live phase, which said ones apply besides the terminal ones, which always do. */
    private static final Map<Phase, Set<Phase>> MAY_FOLLOW = Map.of(
            PHASE_PENDING, Set.of(PHASE_PENDING, PHASE_RUNNING, PHASE_PAUSED),
            PHASE_RUNNING, LIVE,
            PHASE_WAITING_FOR_APPROVAL, LIVE,
            PHASE_PAUSED, LIVE);

    private static final Set<Phase> UNNAMED_RUNNER =
            Set.of(PHASE_PENDING, PHASE_RUNNING, PHASE_COMPLETED, PHASE_FAILED, PHASE_CANCELLED);
    private static final Set<Phase> NAMED_RUNNER = Set.of(PHASE_PENDING, PHASE_RUNNING);
    private static final Set<Phase> SUPERVISOR = Set.of(
            PHASE_PENDING,
            PHASE_RUNNING,
            PHASE_PAUSED,
            PHASE_COMPLETED,
            PHASE_FAILED,
            PHASE_CANCELLED,
            PHASE_TERMINATED);

    private Phases() {}

    /** Whether an execution in this phase has ended. */
    public static boolean isTerminal(Phase phase) {
        return TERMINAL.contains(phase);
    }

    /**
     * The transition table.
     *
     * @param present where the execution stands
     * @param said what a writer says; WAITING_FOR_APPROVAL cannot be said
     */
    public static Effect effect(Phase present, Phase said) {
        if (isTerminal(present)) {
            return isTerminal(said) ? Effect.IS_RECORDED : Effect.HAS_ENDED;
        }
        return isTerminal(said) || MAY_FOLLOW.getOrDefault(present, Set.of()).contains(said)
                ? Effect.APPLIES
                : Effect.CANNOT_FOLLOW;
    }

    /**
     * Whether a writer may say a phase with PhaseChanged.
     *
     * @param named whether the writer has a name; such a one may not end a run
     */
    public static boolean maySay(WriterKind kind, boolean named, Phase said) {
        return switch (kind) {
            case WRITER_KIND_RUNNER -> (named ? NAMED_RUNNER : UNNAMED_RUNNER).contains(said);
            case WRITER_KIND_WORKFLOW, WRITER_KIND_SYSTEM -> SUPERVISOR.contains(said);
            case WRITER_KIND_OPERATOR, WRITER_KIND_UNSPECIFIED, UNRECOGNIZED -> false;
        };
    }

    /** What an entry that is unfinished at the end of its execution becomes. */
    static EntryState settled(Phase outcome) {
        return outcome == PHASE_CANCELLED ? EntryState.ENTRY_STATE_CANCELLED : EntryState.ENTRY_STATE_INTERRUPTED;
    }
}
