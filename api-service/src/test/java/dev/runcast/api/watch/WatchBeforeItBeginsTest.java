package dev.runcast.api.watch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.runcast.api.Run;
import dev.runcast.api.TroubledStore;
import dev.runcast.doors.DoorException;
import dev.runcast.doors.Reason;
import dev.runcast.merge.ExecutionKey;
import dev.runcast.merge.ExecutionView;
import dev.runcast.store.InMemoryChangeBell;
import dev.runcast.store.InMemoryExecutionStore;
import dev.runcast.v1.Change;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.SnapshotReason;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.WatchExecutionResponse.FrameCase;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Viewers who are there before their execution is, and before the store has it. */
class WatchBeforeItBeginsTest {
    /** So long that nothing comes by polling in a test. */
    private static final Duration NEVER = Duration.ofMinutes(10);

    private static final Duration SOON = Duration.ofMillis(20);
    private static final Duration LONG = Duration.ofSeconds(60);

    private final TroubledStore store = new TroubledStore(new InMemoryExecutionStore());
    private final InMemoryChangeBell bell = new InMemoryChangeBell();
    private final Run run = new Run("acme", "run-1", Instant.now().toEpochMilli()).message("m1", "Once");
    private WatchService watches = watches(SOON, NEVER, 64);

    @AfterEach
    void everyViewerLeavesNothingBehind() {
        watches.close();
        await().until(() -> watches.feeds() == 0);
    }

    @Test
    void viewerSeesTheFirstChangesBeforeTheStoreHasThem() {
        watches = watches(NEVER, NEVER, 64);
        Probe viewer = waiting(LONG);
        run.text("m1", " upon").phase(Phase.PHASE_COMPLETED).ring(bell, 1);
        viewer.awaitVersion(4);
        Snapshot first = viewer.frames.get(0).message().getSnapshot();
        assertThat(first.getReason()).isEqualTo(SnapshotReason.SNAPSHOT_REASON_INITIAL);
        assertThat(first.getFirst() && first.getLast()).isTrue();
        assertThat(viewer.versions()).containsExactly(2L, 3L, 4L);
        assertThat(viewer.complete).isFalse();
        run.store(store, 1);
        assertThat(first.getExecution())
                .as("what the store has at version 1")
                .isEqualTo(stored(1).execution());
        assertThat(WatchServiceTest.seen(viewer).entries()).isEqualTo(stored(4).entries());
        bell.resubscribe();
        assertThat(viewer.awaitEnd().messages(FrameCase.DONE)).hasSize(1);
        assertThat(viewer.messages(FrameCase.SNAPSHOT)).hasSize(1);
    }

    @Test
    void firstChangeWithEntriesIsAWholeState() {
        Change one = run.history().get(0).toBuilder()
                .addEntries(run.history().get(1).getEntries(0))
                .addTexts(run.history().get(1).getTexts(0))
                .build();
        Probe viewer = waiting(LONG);
        bell.publish(run.batch(1, 1).toBuilder().setChanges(0, one).build()).block();
        viewer.awaitVersion(1);
        assertThat(WatchServiceTest.seen(viewer).entries())
                .isEqualTo(ExecutionView.EMPTY.apply(one).entries());
        viewer.cancel();
    }

    @Test
    void whatTheStoreHasFirstIsFoundByALook() {
        Probe viewer = waiting(LONG);
        run.store(store, 1);
        viewer.awaitVersion(2);
        assertThat(viewer.versions()).isEmpty();
        run.text("m1", ".").ring(bell, 3);
        viewer.awaitVersion(3);
        viewer.cancel();
    }

    @Test
    void ringForALaterVersionIsAReasonToLook() {
        watches = watches(Duration.ofSeconds(10), NEVER, 64);
        Probe viewer = waiting(LONG);
        long began = System.nanoTime();
        run.text("m1", ".").store(store, 1).ring(bell, 2);
        viewer.awaitVersion(3);
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(6));
        viewer.cancel();
    }

    @Test
    void ringsThatComeOneAfterTheOtherDoNotPutTheLookOff() {
        watches = watches(Duration.ofSeconds(1), NEVER, 64);
        Probe viewer = waiting(LONG);
        run.store(store, 1);
        await().pollInterval(SOON).until(() -> {
            run.text("m1", ".").ring(bell, run.version());
            return !viewer.frames.isEmpty();
        });
        assertThat(run.version()).as("rings until the look").isLessThan(2 + 900 / SOON.toMillis());
        viewer.cancel();
    }

    @Test
    void whatDoesNotBeginInTimeIsNotFound() {
        Probe viewer = Probe.eager(frames(run.key(), "", Duration.ofMillis(100)));
        assertThat(reason(viewer.awaitEnd())).isEqualTo(Reason.NOT_FOUND);
        assertThat(viewer.frames).isEmpty();
        await().until(() -> watches.feeds() == 0);
    }

    @Test
    void whoDoesNotWaitIsToldAtOnceBesideThoseWhoDo() {
        Probe viewer = waiting(LONG);
        Probe other = Probe.eager(frames(run.key(), "", Duration.ZERO));
        assertThat(reason(other)).isEqualTo(Reason.NOT_FOUND);
        assertThat(viewer.failure).isNull();
        run.ring(bell, 1);
        viewer.awaitVersion(2);
        viewer.cancel();
    }

    @Test
    void whoDoesNotWaitJoinsThoseWhoDoOnceTheStoreHasIt() {
        watches = watches(Duration.ofSeconds(30), NEVER, 64);
        Probe viewer = waiting(LONG);
        run.store(store, 1);
        Probe other = Probe.eager(frames(run.key(), "", Duration.ZERO)).awaitVersion(2);
        viewer.awaitVersion(2);
        assertThat(watches.feeds()).isEqualTo(1);
        viewer.cancel();
        other.cancel();
    }

    /** The store is restored, or the execution removed, between a viewer's two reads. */
    @Test
    void whoDoesNotWaitIsToldWhenItIsLostBesideThoseWhoDo() {
        watches = watches(NEVER, NEVER, 64);
        Probe viewer = waiting(LONG);
        WatchService.Watch lost = openedBesideThoseWhoWait();
        store.remove(run.key()).block();
        assertThat(reason(Probe.eager(lost.frames()).awaitEnd())).isEqualTo(Reason.NOT_FOUND);
        assertThat(viewer.failure).isNull();
        run.ring(bell, 1);
        viewer.awaitVersion(2);
        viewer.cancel();
    }

    @Test
    void whoDoesNotWaitIsToldOfAnOutageBesideThoseWhoDo() {
        watches = watches(NEVER, NEVER, 64);
        Probe viewer = waiting(LONG);
        WatchService.Watch away = openedBesideThoseWhoWait();
        store.down(true);
        assertThat(reason(Probe.eager(away.frames()).awaitEnd())).isEqualTo(Reason.STORE_UNAVAILABLE);
        assertThat(viewer.failure).isNull();
        run.ring(bell, 1);
        viewer.awaitVersion(2);
        viewer.cancel();
    }

    @Test
    void lookThatBeganEarlierTellsNobodyWhoCameSince() {
        watches = watches(NEVER, NEVER, 64);
        Probe viewer = waiting(LONG);
        Sinks.Empty<Void> answer = Sinks.empty();
        store.headersWaitFor(answer.asMono());
        int reads = store.headerReads.get();
        bell.resubscribe();
        await().until(() -> store.headerReads.get() > reads);
        store.headersWaitFor(Mono.empty());
        Probe other = Probe.eager(openedBesideThoseWhoWait().frames());
        answer.tryEmitEmpty();
        other.awaitVersion(2);
        viewer.awaitVersion(2);
        viewer.cancel();
        other.cancel();
    }

    private WatchService.Watch openedBesideThoseWhoWait() {
        run.store(store, 1);
        return Objects.requireNonNull(watches.open(run.key(), "", Duration.ZERO).block());
    }

    @Test
    void whoeverWaitsTogetherSharesOneFeed() {
        List<Probe> viewers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            viewers.add(waiting(LONG));
        }
        assertThat(watches.feeds()).isEqualTo(1);
        run.ring(bell, 1);
        Probe.awaitVersion(viewers, 2);
        Frame shared = viewers.get(0).frames.get(1);
        assertThat(viewers)
                .allSatisfy(viewer -> assertThat(viewer.frames.get(1)).isSameAs(shared));
        viewers.forEach(Probe::cancel);
    }

    @Test
    void viewerWhoComesWhileTheStoreIsBehindSeesItFromTheBeginning() {
        Probe first = waiting(LONG);
        run.grow("m1", 5, ".").ring(bell, 1);
        first.awaitVersion(7);
        Probe second = Probe.eager(frames(run.key(), "", LONG)).awaitVersion(7);
        assertThat(second.versions()).isEqualTo(versions(2, 7));
        first.cancel();
        second.cancel();
    }

    @Test
    void viewerWhoGoesAwayWhileWaitingLeavesNothingBehind() {
        Probe viewer = waiting(LONG);
        assertThat(watches.feeds()).isEqualTo(1);
        viewer.cancel();
        assertThat(watches.feeds()).isZero();
        int reads = store.headerReads.get();
        await().during(SOON.multipliedBy(10)).until(() -> store.headerReads.get() == reads);
    }

    /** What rings between is seen by nobody else. */
    @Test
    void feedThatWasWaitedForIsKeptUntilItsViewerTakesItUp() {
        watches = watches(NEVER, NEVER, 64);
        AtomicReference<WatchService.@Nullable Watch> opened = new AtomicReference<>();
        int reads = store.headerReads.get();
        watches.open(run.key(), "", LONG).subscribe(opened::set);
        await().until(() -> store.headerReads.get() > reads + 1);
        run.ring(bell, 1);
        await().pollInterval(Duration.ofMillis(1)).until(() -> opened.get() != null);
        run.text("m1", " upon").ring(bell, 3);
        Probe viewer =
                Probe.eager(Objects.requireNonNull(opened.get()).frames()).awaitVersion(3);
        assertThat(viewer.versions()).containsExactly(2L, 3L);
        // Nor is it lost when the time to take it up is over.
        await().during(Duration.ofMillis(1500)).until(() -> watches.feeds() == 1);
        run.text("m1", " a").ring(bell, 4);
        viewer.awaitVersion(4);
        viewer.cancel();
        await().until(() -> watches.feeds() == 0);
    }

    /** A HEAD, or a caller who goes away just then. */
    @Test
    void watchThatIsNotTakenUpLeavesNothingBehind() {
        AtomicReference<WatchService.@Nullable Watch> opened = new AtomicReference<>();
        watches.open(run.key(), "", LONG).subscribe(opened::set);
        run.ring(bell, 1);
        await().until(() -> opened.get() != null);
        await().until(() -> watches.feeds() == 0);
        // Whoever takes it up that late finds it in the store.
        Probe late = Probe.eager(Objects.requireNonNull(opened.get()).frames());
        run.store(store, 1);
        late.awaitVersion(2);
        late.cancel();
    }

    @Test
    void anotherTenantsExecutionOfTheSameIdIsNotSeen() {
        Probe stranger = Probe.eager(frames(new ExecutionKey("globex", "run-1"), "", Duration.ofSeconds(1)));
        Probe viewer = waiting(LONG);
        run.ring(bell, 1).store(store, 1);
        viewer.awaitVersion(2);
        assertThat(reason(stranger.awaitEnd())).isEqualTo(Reason.NOT_FOUND);
        assertThat(stranger.frames).isEmpty();
        viewer.cancel();
    }

    @Test
    void whatIsNeverStoredEndsWithAClearError() {
        watches = watches(SOON, SOON, 64);
        Probe viewer = waiting(LONG);
        run.ring(bell, 1);
        assertThat(viewer.await(WatchExecutionResponse::hasBookmark)
                        .getBookmark()
                        .getStoreBehind())
                .isTrue();
        assertThat(reason(viewer.awaitEnd())).isEqualTo(Reason.STORE_UNAVAILABLE);
        assertThat(viewer.failure).hasMessageContaining("run-1 began and is not in the store");
        await().until(() -> watches.feeds() == 0);
    }

    /** A sink that is behind ends no view that has news. */
    @Test
    void whatGoesOnAtTheBellIsNotGivenUp() {
        watches = watches(SOON, Duration.ofMillis(100), 1024);
        Probe viewer = waiting(LONG);
        run.ring(bell, 1);
        await().pollInterval(SOON).until(() -> {
            run.text("m1", ".").ring(bell, run.version());
            return viewer.failure != null || run.version() > 60;
        });
        assertThat(viewer.failure).isNull();
        assertThat(viewer.messages(FrameCase.SNAPSHOT)).hasSize(1);
        viewer.cancel();
    }

    @Test
    void storeThatIsAwayEndsNeitherAWaitNorAView() {
        watches = watches(SOON, SOON, 64);
        Probe viewer = waiting(LONG);
        int reads = store.headerReads.get();
        await().until(() -> store.headerReads.get() > reads + 1);
        store.down(true);
        int failed = store.headerReads.get();
        await().until(() -> store.headerReads.get() > failed + 1);
        run.ring(bell, 1);
        viewer.awaitVersion(2);
        int shown = viewer.messages(FrameCase.BOOKMARK).size();
        await().until(() -> viewer.messages(FrameCase.BOOKMARK).size() > shown + 2 * FeedState.PATIENCE_TICKS);
        assertThat(viewer.failure).isNull();
        run.store(store, 1);
        store.down(false);
        run.phase(Phase.PHASE_COMPLETED).store(store, 3).ring(bell, 3);
        assertThat(viewer.awaitEnd().complete).isTrue();
    }

    @Test
    void cursorGoesOnBeforeTheStoreHasTheExecutionAndAfter() {
        Probe viewer = waiting(LONG);
        run.text("m1", " upon").ring(bell, 1);
        viewer.awaitVersion(3);
        String first = viewer.frames.get(0).message().getCursor();
        String second = viewer.frames.get(1).message().getCursor();
        viewer.cancel();
        await().until(() -> watches.feeds() == 0);
        Probe early = Probe.eager(frames(run.key(), first, Duration.ZERO));
        await().until(() -> watches.feeds() == 1);
        assertThat(early.failure).isNull();
        run.store(store, 1);
        early.awaitVersion(3);
        assertThat(early.messages(FrameCase.SNAPSHOT)).isEmpty();
        assertThat(early.versions()).containsExactly(2L, 3L);
        Probe late = Probe.eager(frames(run.key(), second, Duration.ZERO)).awaitVersion(3);
        assertThat(late.messages(FrameCase.SNAPSHOT)).isEmpty();
        assertThat(late.versions()).containsExactly(3L);
        early.cancel();
        late.cancel();
    }

    @Test
    void cursorOfAnExecutionThatIsGoneIsNotWaitedFor() {
        Run old = new Run("acme", "run-2").store(store, 1);
        Probe viewer = Probe.eager(frames(old.key(), "", Duration.ZERO)).awaitVersion(1);
        String cursor = viewer.lastCursor();
        viewer.cancel();
        store.remove(old.key()).block();
        assertThat(reason(Probe.eager(frames(old.key(), cursor, LONG)))).isEqualTo(Reason.NOT_FOUND);
        run.store(store, 1);
        viewer = Probe.eager(frames(run.key(), "", Duration.ZERO)).awaitVersion(2);
        cursor = viewer.lastCursor();
        viewer.cancel();
        await().until(() -> watches.feeds() == 0);
        store.replace(new InMemoryExecutionStore());
        assertThat(reason(Probe.eager(frames(run.key(), cursor, LONG))))
                .as("another store's cursor")
                .isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void cursorIsNotWaitedForLongerThanItsPatience() {
        watches = watches(SOON, SOON, 64);
        Probe viewer = waiting(LONG);
        run.ring(bell, 1);
        String cursor = viewer.awaitVersion(2).lastCursor();
        viewer.cancel();
        Probe resumed = Probe.eager(frames(run.key(), cursor, LONG)).awaitEnd();
        assertThat(reason(resumed)).isEqualTo(Reason.NOT_FOUND);
    }

    @Test
    void viewerThatFallsOutOfTheRingGetsTheStateOnceTheStoreHasIt() {
        watches = watches(SOON, NEVER, 8);
        Probe other = waiting(LONG);
        Probe slow = Probe.demanding(frames(run.key(), "", LONG), 1);
        run.grow("m1", 30, ".").ring(bell, 1);
        other.awaitVersion(32);
        assertThat(slow.frames).hasSize(1);
        slow.request(100);
        Probe late = Probe.eager(frames(run.key(), "", LONG));
        await().during(SOON.multipliedBy(10)).until(() -> slow.frames.size() == 1 && late.frames.isEmpty());
        run.store(store, 1);
        slow.awaitVersion(32);
        late.awaitVersion(32);
        assertThat(slow.frames.get(1).message().getSnapshot().getReason())
                .isEqualTo(SnapshotReason.SNAPSHOT_REASON_SLOW);
        List.of(other, slow, late).forEach(Probe::cancel);
    }

    /** The execution was made anew between the ring and the store. */
    @Test
    void storeThatHasAnotherExecutionOfThatIdBringsTheStateAnew() {
        Probe viewer = waiting(LONG);
        run.ring(bell, 1);
        viewer.awaitVersion(2);
        new Run("acme", "run-1", 1_900_000_000_000L).message("m2", "Twice").store(store, 1);
        WatchExecutionResponse anew =
                viewer.await(frame -> frame.getSnapshot().getReason() == SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED);
        assertThat(anew.getSnapshot().getExecution().getVersion()).isEqualTo(2);
        viewer.cancel();
    }

    @Test
    void stoppingEndsTheWaitToo() {
        Probe viewer = waiting(LONG);
        watches.close();
        assertThat(reason(viewer.awaitEnd())).isEqualTo(Reason.DRAINING);
        assertThat(watches.feeds()).isZero();
    }

    /** The bell is listened to before the store has been looked at, and there are no cursors without the store's name. */
    @Test
    void firstChangeThatRangBeforeTheFirstLookIsKept() {
        FeedState state = new FeedState(run.key(), WatchSettings.DEFAULT);
        state.heard(run.history());
        assertThat(state.isOpen()).isFalse();
        state.lookedInVain("store");
        assertThat(state.isOpen()).isTrue();
        assertThat(state.generation())
                .isEqualTo(Cursor.generation("store", run.history().get(0).getExecution()));
        assertThat(state.head()).isEqualTo(2);
        assertThat(state.first()).isEqualTo(run.history().get(0));
    }

    /** Also before a look has found that it is. */
    @Test
    void bookmarkSaysThatTheStoreHasNothing() {
        FeedState state = new FeedState(run.key(), WatchSettings.DEFAULT);
        state.lookedInVain("store");
        state.heard(run.history());
        assertThat(saysStoreBehind(state)).isTrue();
        state.looked(stored(2).execution(), state.generation());
        assertThat(saysStoreBehind(state)).isFalse();
        state.lookedInVain("store");
        assertThat(saysStoreBehind(state)).as("removed from the store").isTrue();
    }

    private static boolean saysStoreBehind(FeedState state) {
        long seen = state.ticks();
        state.tick();
        Step step = state.next(state.head(), seen, seen, state.replacements(), Instant.now());
        return ((Step.Remind) step).frame().message().getBookmark().getStoreBehind();
    }

    private WatchService watches(Duration poll, Duration bookmark, int changes) {
        return new WatchService(
                store,
                bell,
                new WatchSettings(poll, bookmark, changes, 1024 * 1024, Duration.ofSeconds(5)),
                InstantSource.system());
    }

    /** A viewer whom the bell reaches already. */
    private Probe waiting(Duration beginWithin) {
        int reads = store.headerReads.get();
        Probe viewer = Probe.eager(frames(run.key(), "", beginWithin));
        await().until(() -> store.headerReads.get() > reads + 1);
        assertThat(viewer.frames).isEmpty();
        return viewer;
    }

    private reactor.core.publisher.Flux<Frame> frames(ExecutionKey key, String cursor, Duration beginWithin) {
        return watches.open(key, cursor, beginWithin).flatMapMany(WatchService.Watch::frames);
    }

    private static Reason reason(Probe viewer) {
        return ((DoorException) Objects.requireNonNull(viewer.failure)).reason();
    }

    private ExecutionView stored(long version) {
        ExecutionView view = ExecutionView.EMPTY;
        for (Change change : run.history().subList(0, (int) version)) {
            view = view.apply(change);
        }
        return view;
    }

    private static List<Long> versions(long first, long last) {
        return LongStream.rangeClosed(first, last).boxed().toList();
    }
}
