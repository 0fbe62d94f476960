package dev.runcast.worker.supervise;

import dev.runcast.workflow.ApprovalDecision;
import dev.runcast.workflow.CarriedState;
import dev.runcast.workflow.ExecutionNews;
import dev.runcast.workflow.ExecutionRequest;
import dev.runcast.workflow.FailureDetail;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a workflow knows of its execution. Plain state, changed by news and by the results of attempts. */
final class Supervision {
    /** How the execution ended, as the log has it. */
    record Ended(String phase, FailureDetail failure) {}

    private long seen;
    private long leastEpoch;
    private long recovery;
    private boolean paused;
    private @Nullable String cancelledBy;
    private @Nullable Ended ended;
    private long recoverAsked;
    private boolean recovered;
    private final Set<String> waitingFor = new LinkedHashSet<>();
    /** Decisions that no attempt has been given yet, by approval. */
    private final Map<String, ApprovalDecision> decisions = new LinkedHashMap<>();

    Supervision(ExecutionRequest request) {
        seen = request.version();
        leastEpoch = request.leastEpoch();
        recovery = request.recovery();
        paused = request.paused();
        cancelledBy = request.cancelRequested() ? "" : null;
        CarriedState carried = request.carried();
        if (carried != null) {
            waitingFor.addAll(carried.waitingFor());
            carried.decisions().forEach(decision -> decisions.put(decision.approvalId(), decision));
        }
    }

    /** Takes what is new; what has been seen before changes nothing. */
    void apply(ExecutionNews news) {
        if (news.version() <= seen) {
            return;
        }
        seen = news.version();
        if (news.epoch() > 0) {
            leastEpoch = Math.max(leastEpoch, news.epoch() + 1);
        }
        if (news.recovered()) {
            ended = null;
            recovered = true;
        }
        if (!news.phase().isEmpty()) {
            ended = new Ended(news.phase(), news.failure());
        }
        news.decisions().forEach(decision -> decisions.put(decision.approvalId(), decision));
        switch (news.control()) {
            case "CANCEL" -> cancel(news.by());
            case "PAUSE" -> paused = true;
            case "RESUME" -> paused = false;
            case "RECOVER" -> recoverAsked = news.version();
            default -> {}
        }
    }

    void cancel(String by) {
        if (cancelledBy == null) {
            cancelledBy = by;
        }
    }

    long seen() {
        return seen;
    }

    long leastEpoch() {
        return leastEpoch;
    }

    /** Attempts to come are newer than this one. */
    void attempted(long epoch) {
        leastEpoch = Math.max(leastEpoch, epoch + 1);
    }

    long recovery() {
        return recovery;
    }

    boolean paused() {
        return paused;
    }

    /** Who asked for the end; null when nobody has, empty when not known. */
    @Nullable
    String cancelledBy() {
        return cancelledBy;
    }

    boolean cancelled() {
        return cancelledBy != null;
    }

    @Nullable
    Ended ended() {
        return ended;
    }

    boolean hasEnded() {
        return ended != null;
    }

    boolean recoverAsked() {
        return recoverAsked > 0;
    }

    boolean recovered() {
        return recovered;
    }

    /** From now on the execution is the recovered one: what held before its end is over. */
    long beginRecovery() {
        recovery = recoverAsked;
        recoverAsked = 0;
        recovered = false;
        ended = null;
        cancelledBy = null;
        paused = false;
        waitingFor.clear();
        return recovery;
    }

    /** The agent waits for these. */
    void waitFor(Collection<String> approvals) {
        waitingFor.clear();
        waitingFor.addAll(approvals);
    }

    Set<String> undecided() {
        Set<String> undecided = new LinkedHashSet<>(waitingFor);
        undecided.removeAll(decisions.keySet());
        return undecided;
    }

    List<String> waitingFor() {
        return List.copyOf(waitingFor);
    }

    List<ApprovalDecision> decisions() {
        return List.copyOf(decisions.values());
    }

    /** The agent's thread has these. */
    void delivered(List<ApprovalDecision> given) {
        given.forEach(decision -> decisions.remove(decision.approvalId()));
    }

    /** An attempt can be begun. */
    boolean mayRun() {
        return !paused && undecided().isEmpty();
    }

    /** No attempt is to be begun, and one that runs is to stop. */
    boolean mustEnd() {
        return cancelled() || hasEnded();
    }
}
