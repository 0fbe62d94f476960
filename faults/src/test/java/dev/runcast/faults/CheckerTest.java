package dev.runcast.faults;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.merge.MemoryState;
import dev.runcast.merge.Merge;
import dev.runcast.merge.MergeResult;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.store.StoreWrite;
import dev.runcast.store.StoredEntry;
import dev.runcast.v1.Ack;
import dev.runcast.v1.Change;
import dev.runcast.v1.ChangeBatch;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Done;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.EntryUpserted;
import dev.runcast.v1.Execution;
import dev.runcast.v1.ExecutionPatched;
import dev.runcast.v1.Phase;
import dev.runcast.v1.PhaseChanged;
import dev.runcast.v1.RejectedUpdate;
import dev.runcast.v1.Role;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.TextAppended;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import dev.runcast.v1.UpdateBatch;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.Writer;
import dev.runcast.v1.WriterKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A checker that finds nothing is worthless: every kind of damage to a good history must be found. */
final class CheckerTest {
    private static final ExecutionKey KEY = new ExecutionKey("default", "run");
    private static final Writer RUNNER =
            Writer.newBuilder().setKind(WriterKind.WRITER_KIND_RUNNER).build();
    private static final long EPOCH = 1_000;

    /** A history in lists that a test may damage. */
    private static final class Draft {
        final List<UpdateBatch> sent = new ArrayList<>();
        final List<Ack> acked = new ArrayList<>();
        final List<Snapshot> reported = new ArrayList<>();
        final List<History.Logged> log = new ArrayList<>();
        final List<ChangeBatch> changes = new ArrayList<>();
        final List<RejectedUpdate> rejected = new ArrayList<>();
        final List<WatchExecutionResponse> view = new ArrayList<>();
        Execution storedExecution = Execution.getDefaultInstance();
        final List<StoredEntry> storedEntries = new ArrayList<>();
        final List<Change> storedChanges = new ArrayList<>();

        History history() {
            return new History(
                    sent,
                    acked,
                    reported,
                    Map.of(KEY, log),
                    Map.of(KEY, changes),
                    rejected,
                    Map.of(KEY, new History.Stored(storedExecution, storedEntries, storedChanges)),
                    Map.of("grpc-run", view));
        }

        private final MemoryState state = new MemoryState();
        private final InMemoryExecutionStore store = new InMemoryExecutionStore();

        /** The batch is sent and lands in the log; the merge, the store and the viewer do their work. */
        void land(UpdateBatch batch) {
            UpdateBatch stamped = batch.toBuilder()
                    .setTenant("default")
                    .setRules(Merge.NEWEST_RULES)
                    .setReceivedAt(Timestamp.newBuilder().setSeconds(1_000 + log.size()))
                    .build();
            long offset = log.size();
            log.add(new History.Logged(0, offset, stamped));
            MergeResult result = Merge.apply(state, stamped);
            state.write(result.writes());
            changes.addAll(result.changes());
            result.rejections()
                    .forEach(rejection -> rejected.add(rejection.toBuilder()
                            .setPartition(0)
                            .setOffset(offset)
                            .build()));
            store.write(StoreWrite.ofChanges(result.changes())).block();
        }

        void readBack() {
            storedExecution = store.execution(KEY).block();
            storedEntries.addAll(store.entries(storedExecution, 0).collectList().block());
            storedChanges.addAll(
                    store.changes(KEY, 0, Long.MAX_VALUE).collectList().block());
        }
    }

    @Test
    void goodHistoryPasses() {
        assertThat(Checker.check(good().history())).isEmpty();
    }

    @Test
    void ackedUpdateThatIsNotInTheLogIsFound() {
        found("acked and is not in the log", draft -> draft.acked.set(0, ack(99)));
    }

    @Test
    void ackedRequestThatIsNotInTheLogIsFound() {
        found(
                "acked and is not in the log",
                draft -> draft.acked.add(Ack.newBuilder()
                        .setExecutionId("run")
                        .setWriter(RUNNER)
                        .setRequestId("lost")
                        .build()));
    }

    @Test
    void otherContentUnderAnAckedSequenceIsFound() {
        found("content that was never sent", draft -> draft.sent.set(1, batch(3, progress(99))));
    }

    @Test
    void holeInTheSequencesIsFound() {
        Draft draft = new Draft();
        send(draft, batch(1, phase(Phase.PHASE_RUNNING)));
        send(draft, batch(3, phase(Phase.PHASE_COMPLETED)));
        draft.acked.add(ack(3));
        finish(draft);
        assertThat(Checker.check(draft.history()))
                .anySatisfy(violation -> assertThat(violation).contains("acked and is not in the log"))
                .anySatisfy(violation -> assertThat(violation).contains("neither applied nor refused"));
    }

    @Test
    void droppedChangeIsFound() {
        found("has version 3", draft -> {
            ChangeBatch first = draft.changes.get(0);
            draft.changes.set(0, first.toBuilder().removeChanges(1).build());
        });
    }

    @Test
    void doubledChangeIsFound() {
        found("of the topic has version", draft -> draft.changes.add(1, draft.changes.get(0)));
    }

    @Test
    void alteredChangeIsFound() {
        found("changes of default/run", draft -> {
            ChangeBatch.Builder last = draft.changes.get(draft.changes.size() - 1).toBuilder();
            last.getChangesBuilder(0).setTraceparent("another");
            draft.changes.set(draft.changes.size() - 1, last.build());
        });
    }

    @Test
    void lostChangeAtTheEndIsFound() {
        found("changes of default/run", draft -> draft.changes.remove(draft.changes.size() - 1));
    }

    @Test
    void holeInTheStoredHistoryIsFound() {
        found("stored history of default/run", draft -> draft.storedChanges.remove(1));
    }

    @Test
    void staleStoredExecutionIsFound() {
        found(
                "stored execution default/run",
                draft -> draft.storedExecution = draft.storedExecution.toBuilder()
                        .setPhase(Phase.PHASE_RUNNING)
                        .build());
    }

    @Test
    void storedTextThatLacksAnAppendIsFound() {
        found("stored entries of default/run", draft -> {
            StoredEntry entry = draft.storedEntries.get(0);
            draft.storedEntries.set(
                    0,
                    new StoredEntry(
                            entry.record(),
                            entry.texts().subList(0, entry.texts().size() - 1)));
        });
    }

    @Test
    void executionThatIsNotInTheStoreIsFound() {
        History history = good().history();
        assertThat(Checker.check(new History(
                        history.sent(),
                        history.acked(),
                        history.reported(),
                        history.log(),
                        history.changes(),
                        history.rejected(),
                        Map.of(),
                        history.views())))
                .anySatisfy(violation -> assertThat(violation).contains("is not in the store"));
    }

    @Test
    void rejectionThatIsMissingOrMadeUpIsFound() {
        found("rejection missing", draft -> draft.rejected.remove(0));
        found(
                "rejection of what was not rejected",
                draft -> draft.rejected.add(
                        draft.rejected.get(0).toBuilder().setOffset(0).build()));
        found("rejection twice", draft -> draft.rejected.add(draft.rejected.get(0)));
    }

    @Test
    void reportThatTheStateLacksIsFound() {
        found(
                "reported",
                draft -> draft.reported.set(
                        0,
                        draft.reported.get(0).toBuilder()
                                .addEntries(Entry.newBuilder().setEntryId("forgotten"))
                                .build()));
        found("reported PHASE_FAILED", draft -> {
            Snapshot.Builder reported = draft.reported.get(0).toBuilder();
            reported.getExecutionBuilder().setPhase(Phase.PHASE_FAILED);
            draft.reported.set(0, reported.build());
        });
    }

    @Test
    void frameThatIsMissingIsFound() {
        found("after version", draft -> draft.view.remove(3));
    }

    @Test
    void frameThatCameTwiceIsFound() {
        found("after version", draft -> draft.view.add(3, draft.view.get(3)));
    }

    @Test
    void alteredFrameIsFound() {
        found("is not the history's", draft -> {
            WatchExecutionResponse.Builder frame = draft.view.get(3).toBuilder();
            frame.getChangeBuilder().setOmitted(7);
            draft.view.set(3, frame.build());
        });
    }

    @Test
    void alteredFoldIsFound() {
        found("is not the history's", draft -> {
            int at = fold(draft);
            WatchExecutionResponse.Builder frame = draft.view.get(at).toBuilder();
            frame.getChangeBuilder().clearTexts();
            draft.view.set(at, frame.build());
        });
    }

    @Test
    void foldOfWhatItSaysPasses() {
        Draft draft = good();
        fold(draft);
        assertThat(Checker.check(draft.history())).isEmpty();
    }

    @Test
    void alteredSnapshotIsFound() {
        found("snapshot at 2", draft -> {
            WatchExecutionResponse.Builder frame = draft.view.get(1).toBuilder();
            frame.getSnapshotBuilder().getExecutionBuilder().setReason("another");
            draft.view.set(1, frame.build());
        });
        found("snapshot at 2", draft -> {
            WatchExecutionResponse.Builder frame = draft.view.get(1).toBuilder();
            frame.getSnapshotBuilder().clearEntries();
            draft.view.set(1, frame.build());
        });
    }

    @Test
    void viewerThatNeverSawTheEndIsFound() {
        found("never saw the end", draft -> {
            draft.view.remove(draft.view.size() - 1);
            draft.view.remove(draft.view.size() - 1);
        });
    }

    @Test
    void wrongEndIsFound() {
        found("done as PHASE_FAILED", draft -> draft.view.set(draft.view.size() - 1, done(Phase.PHASE_FAILED, 6)));
        found("done at 5", draft -> draft.view.set(draft.view.size() - 1, done(Phase.PHASE_COMPLETED, 5)));
    }

    @Test
    void slowCallsAreFound() {
        assertThat(calls(9_000_000, 5_000_000).violations()).isEmpty();
        assertThat(calls(11_000_000, 5_000_000).violations())
                .singleElement()
                .asString()
                .contains("1.10 %");
        assertThat(calls(9_000_000, 5_100_000).violations())
                .singleElement()
                .asString()
                .contains("5.10 ms");
    }

    private static CallTimes.Summary calls(long cpu, long worst) {
        return new CallTimes.Summary(100, cpu, 1_000_000_000, worst, 0, 0);
    }

    private static void found(String words, Consumer<Draft> damage) {
        Draft draft = good();
        damage.accept(draft);
        assertThat(Checker.check(draft.history()))
                .anySatisfy(violation -> assertThat(violation).contains(words));
    }

    /** Folds the viewer's two changes after the snapshot into one frame; its place. */
    private static int fold(Draft draft) {
        Change folded = ExecutionView.fold(
                draft.view.get(2).getChange(), draft.view.get(3).getChange());
        draft.view.remove(3);
        draft.view.set(2, WatchExecutionResponse.newBuilder().setChange(folded).build());
        return 2;
    }

    /** A run of six versions: with a resend, an update refused for a gap, and a viewer who comes at version 2. */
    private static Draft good() {
        Draft draft = new Draft();
        send(draft, batch(1, phase(Phase.PHASE_RUNNING), message("Hel")));
        send(draft, batch(3, append(3, "lo "), append(6, "you")));
        draft.land(batch(3, append(3, "lo "), append(6, "you")));
        draft.land(batch(6, phase(Phase.PHASE_COMPLETED)));
        send(draft, batch(5, progress(50), phase(Phase.PHASE_COMPLETED)));
        draft.sent.add(batch(6, phase(Phase.PHASE_COMPLETED)));
        draft.acked.add(ack(6));
        draft.reported.add(Snapshot.newBuilder()
                .setExecution(Execution.newBuilder()
                        .setExecutionId("run")
                        .setEpoch(EPOCH)
                        .setPhase(Phase.PHASE_COMPLETED))
                .addEntries(Entry.newBuilder()
                        .setEntryId("m")
                        .setState(EntryState.ENTRY_STATE_COMPLETED)
                        .setMessage(
                                ChatMessage.newBuilder().setRole(Role.ROLE_AI).setText("Hello you")))
                .build());
        finish(draft);
        return draft;
    }

    private static void finish(Draft draft) {
        draft.readBack();
        List<Change> changes = draft.storedChanges;
        ExecutionView view = ExecutionView.EMPTY;
        draft.view.add(WatchExecutionResponse.getDefaultInstance());
        int seen = Math.min(2, changes.size());
        for (Change change : changes.subList(0, seen)) {
            view = view.apply(change);
        }
        Change snapshot = view.snapshot();
        draft.view.add(WatchExecutionResponse.newBuilder()
                .setSnapshot(Snapshot.newBuilder()
                        .setExecution(snapshot.getExecution())
                        .addAllEntries(snapshot.getEntriesList())
                        .addAllTexts(snapshot.getTextsList())
                        .setFirst(true)
                        .setLast(true))
                .setCursor("2")
                .build());
        for (Change change : changes.subList(seen, changes.size())) {
            draft.view.add(WatchExecutionResponse.newBuilder()
                    .setChange(change)
                    .setCursor("c" + change.getVersion())
                    .build());
        }
        draft.view.add(done(Phase.PHASE_COMPLETED, changes.size()));
    }

    private static void send(Draft draft, UpdateBatch batch) {
        draft.sent.add(batch);
        draft.land(batch);
    }

    private static WatchExecutionResponse done(Phase phase, long version) {
        return WatchExecutionResponse.newBuilder()
                .setDone(Done.newBuilder().setPhase(phase).setVersion(version))
                .build();
    }

    private static Ack ack(long sequence) {
        return Ack.newBuilder()
                .setExecutionId("run")
                .setWriter(RUNNER)
                .setEpoch(EPOCH)
                .setSequence(sequence)
                .build();
    }

    private static UpdateBatch batch(long first, Update... updates) {
        return UpdateBatch.newBuilder()
                .setExecutionId("run")
                .setWriter(RUNNER)
                .setEpoch(EPOCH)
                .setFirstSequence(first)
                .addAllUpdates(List.of(updates))
                .build();
    }

    private static Update phase(Phase phase) {
        return Update.newBuilder()
                .setPhaseChanged(PhaseChanged.newBuilder().setPhase(phase))
                .build();
    }

    private static Update progress(int percent) {
        ExecutionPatched.Builder patch = ExecutionPatched.newBuilder();
        patch.getProgressBuilder().setPercent(percent);
        return Update.newBuilder().setExecutionPatched(patch).build();
    }

    private static Update message(String text) {
        return Update.newBuilder()
                .setEntryUpserted(EntryUpserted.newBuilder()
                        .setEntry(Entry.newBuilder()
                                .setEntryId("m")
                                .setState(EntryState.ENTRY_STATE_COMPLETED)
                                .setMessage(ChatMessage.newBuilder()
                                        .setRole(Role.ROLE_AI)
                                        .setText(text))))
                .build();
    }

    private static Update append(long offset, String text) {
        return Update.newBuilder()
                .setTextAppended(TextAppended.newBuilder()
                        .setEntryId("m")
                        .setField(TextField.TEXT_FIELD_TEXT)
                        .setOffset(offset)
                        .setText(text))
                .build();
    }
}
