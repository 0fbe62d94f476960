package dev.runcast.merge;

import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.Writer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Collects what became of the updates of one batch. */
final class Results {
    /** What a batch that breaks the contract may claim of itself in a rejection. */
    private static final int SHOWN_CHARACTERS = 128;

    private final UpdateBatch batch;
    private final List<Outcome> outcomes = new ArrayList<>();
    private final List<Change> changes = new ArrayList<>();
    private final List<RejectedUpdate.Builder> rejections = new ArrayList<>();
    private int lastRejected = -2;

    Results(UpdateBatch batch) {
        this.batch = batch;
    }

    /** The result for a batch whose updates cannot be looked at. */
    static MergeResult refused(UpdateBatch batch, Refusal refusal) {
        Results results = new Results(batch);
        for (int i = 0; i < batch.getUpdatesCount(); i++) {
            results.rejected(i, refusal);
        }
        return new MergeResult(results.outcomes(), List.of(), List.of(), results.rejections(), null, null, null);
    }

    void applied(Change change) {
        outcomes.add(new Outcome.Applied(change));
        changes.add(change);
    }

    void duplicate() {
        outcomes.add(Outcome.Duplicate.INSTANCE);
    }

    void rejected(int index, Refusal refusal) {
        rejected(index, refusal, true);
    }

    /** @param isOutcome false for a refused request, whose outcome is the change that says so */
    void rejected(int index, Refusal refusal, boolean isOutcome) {
        if (isOutcome) {
            outcomes.add(new Outcome.Rejected(refusal.reason(), refusal.message()));
        }
        RejectedUpdate.Builder last = rejections.isEmpty() ? null : rejections.get(rejections.size() - 1);
        if (last != null && lastRejected == index - 1 && last.getReason() == refusal.reason()) {
            last.setCount(last.getCount() + 1);
        } else {
            rejections.add(rejection(index, batch.getUpdates(index), refusal));
        }
        lastRejected = index;
    }

    List<Outcome> outcomes() {
        return List.copyOf(outcomes);
    }

    List<RejectedUpdate> rejections() {
        return rejections.stream().map(RejectedUpdate.Builder::build).toList();
    }

    List<ChangeBatch> changeBatches(ExecutionKey key) {
        List<ChangeBatch> batches = new ArrayList<>(1);
        ChangeBatch.Builder open = null;
        int bytes = 0;
        for (Change change : changes) {
            int size = change.getSerializedSize();
            if (open == null || bytes + size > Limits.CHANGE_BATCH_BYTES) {
                if (open != null) {
                    batches.add(open.build());
                }
                open = ChangeBatch.newBuilder().setTenant(key.tenant()).setExecutionId(key.executionId());
                bytes = 0;
            }
            open.addChanges(change);
            bytes += size;
        }
        if (open != null) {
            batches.add(open.build());
        }
        return List.copyOf(batches);
    }

    private RejectedUpdate.Builder rejection(int index, Update update, Refusal refusal) {
        RejectedUpdate.Builder rejection = RejectedUpdate.newBuilder()
                .setTenant(cut(batch.getTenant()))
                .setExecutionId(cut(batch.getExecutionId()))
                .setWriter(plain(batch.getWriter()))
                .setEpoch(batch.getEpoch())
                .setCount(1)
                .setReason(refusal.reason())
                .setMessage(refusal.message())
                .setIndex(index);
        if (update.getChangeCase() != Update.ChangeCase.CHANGE_NOT_SET) {
            rejection.setChangeKind(update.getChangeCase().name().toLowerCase(Locale.ROOT));
        }
        if (batch.hasRequestId()) {
            rejection.setRequestId(cut(batch.getRequestId()));
        } else if (batch.hasFirstSequence()) {
            rejection.setSequence(batch.getFirstSequence() + index);
        }
        if (Times.isValid(batch.getReceivedAt())) {
            rejection.setReceivedAt(batch.getReceivedAt());
        }
        return rejection;
    }

    /** Kind and name, and nothing that a later build may know or that is there to take room. */
    static Writer plain(Writer writer) {
        return Writer.newBuilder()
                .setKindValue(writer.getKindValue())
                .setName(cut(writer.getName()))
                .build();
    }

    private static String cut(String text) {
        return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS);
    }
}
