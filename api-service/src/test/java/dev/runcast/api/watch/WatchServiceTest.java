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
import dev.runcast.v1.Entry;
import dev.runcast.v1.Phase;
import dev.runcast.v1.Snapshot;
import dev.runcast.v1.SnapshotReason;
import dev.runcast.v1.WatchExecutionResponse;
import dev.runcast.v1.WatchExecutionResponse.FrameCase;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

class WatchServiceTest {
    /** So long that nothing comes by polling in a test. */
    private static final Duration NEVER = Duration.ofMinutes(10);

    private static final Duration SOON = Duration.ofMillis(20);

    private final TroubledStore store = new TroubledStore(new InMemoryExecutionStore());
    private final InMemoryChangeBell bell = new InMemoryChangeBell();
    private final Run run = new Run("acme", "run-1").message("m1", "Once");
    private WatchService watches = watches(SOON, NEVER, 64, 1024 * 1024);

    @AfterEach
    void everyViewerLeavesNothingBehind() {
        watches.close();
        await().until(() -> watches.feeds() == 0);
    }

    @Test
    void newViewerGetsTheStateAndThenWhatChanges() {
        run.store(store, 1);
        Probe viewer = view("");
        viewer.awaitVersion(2);
        run.text("m1", " upon").text("m1", " a time").store(store, 3).ring(bell, 3);
        viewer.awaitVersion(4);
        Snapshot snapshot = viewer.frames.get(0).message().getSnapshot();
        assertThat(snapshot.getReason()).isEqualTo(SnapshotReason.SNAPSHOT_REASON_INITIAL);
        assertThat(snapshot.getFirst() && snapshot.getLast()).isTrue();
        assertThat(snapshot.getExecution().getSpec().getAgent()).isEqualTo("planner");
        assertThat(seen(viewer).entry("m1")).isEqualTo(expected(4).entry("m1"));
        assertThat(viewer.versions()).containsExactly(3L, 4L);
    }

    @Test
    void changeThatCameWhileTheStateWasReadIsNotLost() {
        run.store(store, 1);
        store.beforeEntries(() -> {
            store.beforeEntries(() -> {});
            run.text("m1", " upon").store(store, 3).ring(bell, 3);
        });
        watches = watches(NEVER, NEVER, 64, 1024 * 1024);
        Probe viewer = view("").awaitVersion(3);
        assertThat(viewer.versions()).containsExactly(3L);
        assertThat(seen(viewer).entry("m1")).isEqualTo(expected(3).entry("m1"));
        viewer.cancel();
    }

    @Test
    void whatTheBellLostIsFilledFromTheHistory() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.grow("m1", 4, " more").store(store, 3).ring(bell, 3, 3).ring(bell, 6, 6);
        viewer.awaitVersion(6);
        assertThat(viewer.versions()).containsExactly(3L, 4L, 5L, 6L);
    }

    @Test
    void whatFollowsAHoleWaitsUntilTheHistoryHasTheHole() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.grow("m1", 6, " more").ring(bell, 5, 6);
        int reads = store.historyReads.get();
        await().until(() -> store.historyReads.get() > reads + 1);
        assertThat(viewer.versions()).isEmpty();
        run.store(store, 3, 4);
        viewer.awaitVersion(6);
        // Versions 5 and 6 came from the bell: the store does not have them.
        assertThat(viewer.versions()).containsExactly(3L, 4L, 5L, 6L);
    }

    @Test
    void whatTheBellRepeatsIsGivenOnce() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.grow("m1", 3, " more").store(store, 3).ring(bell, 3).ring(bell, 2).ring(bell, 4);
        run.text("m1", ".").store(store, 6).ring(bell, 6);
        viewer.awaitVersion(6);
        assertThat(viewer.versions()).containsExactly(3L, 4L, 5L, 6L);
    }

    @Test
    void silentBellDelaysViewersByOnePoll() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.grow("m1", 3, " more").store(store, 3);
        viewer.awaitVersion(5);
        assertThat(viewer.versions()).containsExactly(3L, 4L, 5L);
    }

    @Test
    void bellThatIsBackAfterAnOutageIsAGap() {
        watches = watches(Duration.ofSeconds(30), NEVER, 64, 1024 * 1024);
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.grow("m1", 3, " more").store(store, 3);
        bell.resubscribe();
        viewer.awaitVersion(5);
        viewer.cancel();
    }

    @Test
    void slowViewerGetsWhatItMissedFoldedIntoOneChange() {
        run.store(store, 1);
        Probe viewer = Probe.demanding(open(""), 1);
        viewer.awaitVersion(2);
        Probe other = view("").awaitVersion(2);
        // One by one from the bell before the store has any: a poll would bring them all at once, folded for both.
        run.grow("m1", 50, " more").ring(bell, 3).store(store, 3);
        other.awaitVersion(52);
        viewer.request(1);
        viewer.awaitVersion(52);
        Change folded = viewer.changes().get(0);
        assertThat(folded.getFirstVersion()).isEqualTo(3);
        assertThat(folded.getVersion()).isEqualTo(52);
        assertThat(seen(viewer).entries()).isEqualTo(expected(52).entries());
        assertThat(other.versions()).isEqualTo(versions(3, 52));
        viewer.request(1);
        run.text("m1", ".").store(store, 53).ring(bell, 53);
        viewer.awaitVersion(53);
        assertThat(viewer.changes().get(1).getFirstVersion()).isEqualTo(53);
    }

    @Test
    void viewerThatFallsOutOfTheRingGetsTheStateAnew() {
        run.store(store, 1);
        Probe viewer = Probe.demanding(open(""), 1);
        viewer.awaitVersion(2);
        Probe other = view("").awaitVersion(2);
        run.grow("m1", 100, " more").store(store, 3).ring(bell, 3);
        other.awaitVersion(102);
        viewer.request(10);
        viewer.awaitVersion(102);
        Snapshot anew = viewer.frames.get(1).message().getSnapshot();
        assertThat(anew.getReason()).isEqualTo(SnapshotReason.SNAPSHOT_REASON_SLOW);
        assertThat(anew.getExecution().getVersion()).isEqualTo(102);
        assertThat(seen(viewer).entries()).isEqualTo(expected(102).entries());
        run.text("m1", ".").store(store, 103).ring(bell, 103);
        viewer.awaitVersion(103);
        assertThat(viewer.versions()).containsExactly(103L);
    }

    @Test
    void ringIsBoundedInBytesToo() {
        watches = watches(SOON, NEVER, 64, 10_000);
        run.store(store, 1);
        Probe viewer = Probe.demanding(open(""), 1);
        viewer.awaitVersion(2);
        Probe other = view("").awaitVersion(2);
        run.grow("m1", 20, "x".repeat(1000)).store(store, 3).ring(bell, 3);
        other.awaitVersion(22);
        viewer.request(10);
        viewer.awaitVersion(22);
        assertThat(viewer.frames.get(1).message().getSnapshot().getReason())
                .isEqualTo(SnapshotReason.SNAPSHOT_REASON_SLOW);
        viewer.cancel();
        other.cancel();
    }

    @Test
    void resumedViewerGetsExactlyWhatCameAfterItsCursor() {
        run.grow("m1", 10, " more").store(store, 1);
        Probe first = view("").awaitVersion(12);
        String cursor = first.lastCursor();
        first.cancel();
        run.grow("m1", 200, " more").store(store, 13);
        Probe resumed = view(cursor).awaitVersion(212);
        assertThat(resumed.messages(FrameCase.SNAPSHOT)).isEmpty();
        assertThat(resumed.versions()).isEqualTo(versions(13, 212));
        run.text("m1", ".").store(store, 213).ring(bell, 213);
        resumed.awaitVersion(213);
        assertThat(resumed.versions()).isEqualTo(versions(13, 213));
    }

    @Test
    void resumedViewerOfAnEndedRunGetsTheRestAndTheEnd() {
        run.store(store, 1);
        Probe first = view("").awaitVersion(2);
        String cursor = first.lastCursor();
        first.cancel();
        run.grow("m1", 3, " more").phase(Phase.PHASE_COMPLETED).store(store, 3);
        Probe resumed = view(cursor).awaitEnd();
        assertThat(resumed.versions()).containsExactly(3L, 4L, 5L, 6L);
        assertThat(resumed.complete).isTrue();
        assertEndsWithDone(resumed, Phase.PHASE_COMPLETED, 6);
    }

    @Test
    void lateViewerOfAnEndedRunGetsTheStateAndTheEnd() {
        run.phase(Phase.PHASE_FAILED).store(store, 1);
        Probe viewer = view("").awaitEnd();
        assertThat(viewer.frames).hasSize(2);
        assertEndsWithDone(viewer, Phase.PHASE_FAILED, 3);
    }

    @Test
    void viewerWhoHasSeenTheEndIsToldSoBeforeItBegins() {
        run.phase(Phase.PHASE_COMPLETED).store(store, 1);
        Probe viewer = view("").awaitEnd();
        WatchService.Watch again = opened(viewer.lastCursor());
        assertThat(again.atEnd()).isTrue();
        Probe resumed = Probe.eager(again.frames()).awaitEnd();
        assertThat(resumed.frames).hasSize(1);
        assertEndsWithDone(resumed, Phase.PHASE_COMPLETED, 3);
    }

    @Test
    void endThatTheStoreDoesNotHaveYetIsNotSaid() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.phase(Phase.PHASE_COMPLETED).ring(bell, 3);
        viewer.awaitVersion(3);
        assertThat(viewer.messages(FrameCase.DONE)).isEmpty();
        assertThat(viewer.complete).isFalse();
        run.store(store, 3);
        viewer.awaitEnd();
        assertEndsWithDone(viewer, Phase.PHASE_COMPLETED, 3);
    }

    @Test
    void transcriptThatComesAfterTheEndReachesWhoeverComesBack() {
        run.phase(Phase.PHASE_COMPLETED).store(store, 1);
        Probe viewer = view("").awaitEnd();
        String cursor = viewer.lastCursor();
        run.text("m1", " late").store(store, 4);
        assertThat(opened(cursor).atEnd()).isFalse();
        Probe resumed = view(cursor).awaitEnd();
        assertThat(resumed.versions()).containsExactly(4L);
        assertEndsWithDone(resumed, Phase.PHASE_COMPLETED, 4);
    }

    @Test
    void cursorAheadOfTheStoreIsWaitedFor() {
        run.store(store, 1);
        Probe first = view("").awaitVersion(2);
        run.grow("m1", 3, " more").ring(bell, 3);
        String ahead = first.awaitVersion(5).lastCursor();
        first.cancel();
        await().until(() -> watches.feeds() == 0);
        Probe resumed = view(ahead);
        run.text("m1", ".").store(store, 3);
        resumed.awaitVersion(6);
        assertThat(resumed.versions()).containsExactly(6L);
        assertThat(resumed.messages(FrameCase.SNAPSHOT)).isEmpty();
    }

    @Test
    void cursorOfAnotherExecutionOrNoneAtAllIsRefused() {
        run.store(store, 1);
        Run other = new Run("acme", "run-2").store(store, 1);
        Probe viewer = Probe.eager(opened(other.key(), "").frames());
        viewer.awaitVersion(1);
        assertThat(refusal(run.key(), viewer.lastCursor())).isEqualTo(Reason.INVALID);
        assertThat(refusal(run.key(), "nonsense!")).isEqualTo(Reason.INVALID);
        assertThat(refusal(run.key(), "AAAA")).isEqualTo(Reason.INVALID);
    }

    @Test
    void cursorOfAStoreThatWasReplacedBringsTheStateAnew() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        String cursor = viewer.lastCursor();
        viewer.cancel();
        await().until(() -> watches.feeds() == 0);
        store.replace(new InMemoryExecutionStore());
        run.store(store, 1);
        Probe resumed = view(cursor).awaitVersion(2);
        assertThat(resumed.frames.get(0).message().getSnapshot().getReason())
                .isEqualTo(SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED);
    }

    @Test
    void storeThatIsReplacedUnderAViewerBringsTheStateAnew() {
        run.grow("m1", 5, " more").store(store, 1);
        Probe viewer = view("").awaitVersion(7);
        InMemoryExecutionStore other = new InMemoryExecutionStore();
        run.store(other, 1, 3);
        store.replace(other);
        WatchExecutionResponse anew =
                viewer.await(frame -> frame.getSnapshot().getReason() == SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED);
        assertThat(anew.getSnapshot().getExecution().getVersion()).isEqualTo(3);
        run.store(other, 1);
        viewer.awaitVersion(7);
        assertThat(seen(viewer).entries()).isEqualTo(expected(7).entries());
    }

    @Test
    void cursorOfAnExecutionWhoseIdIsUsedAgainBringsTheNewOne() {
        run.grow("m1", 5, " more").phase(Phase.PHASE_COMPLETED).store(store, 1);
        Probe viewer = view("");
        viewer.awaitEnd();
        String cursor = viewer.lastCursor();
        await().until(() -> watches.feeds() == 0);
        store.remove(run.key()).block();
        Run again = new Run("acme", "run-1", 1_800_000_000_000L).message("other", "Twice");
        again.store(store, 1);
        Probe resumed = view(cursor).awaitVersion(2);
        assertThat(resumed.frames.get(0).message().getSnapshot().getReason())
                .isEqualTo(SnapshotReason.SNAPSHOT_REASON_STORE_REPLACED);
        again.text("other", ".").store(store, 3).ring(bell, 3);
        resumed.awaitVersion(3);
        assertThat(seen(resumed).entries()).extracting(Entry::getEntryId).containsExactly("other");
        // Under a viewer too, and though the new one has come further than the old one was.
        store.remove(run.key()).block();
        Run third = new Run("acme", "run-1", 1_900_000_000_000L).message("third", "Thrice");
        third.grow("third", 20, " more").store(store, 1);
        resumed.awaitVersion(third.version());
        assertThat(seen(resumed).entries()).extracting(Entry::getEntryId).containsExactly("third");
    }

    @Test
    void changeThatIsTooLargeForAFrameIsSeenInTheStateAfterIt() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        String cursor = viewer.lastCursor();
        run.text("m1", "x".repeat(Frame.MAX_BYTES)).store(store, 3).ring(bell, 3);
        WatchExecutionResponse anew =
                viewer.await(frame -> frame.getSnapshot().getReason() == SnapshotReason.SNAPSHOT_REASON_LARGE);
        assertThat(anew.getSnapshot().getExecution().getVersion()).isEqualTo(3);
        run.text("m1", ".").store(store, 4).ring(bell, 4);
        viewer.awaitVersion(4);
        Probe resumed = view(cursor).awaitVersion(4);
        assertThat(resumed.frames.get(0).message().getSnapshot().getReason())
                .isEqualTo(SnapshotReason.SNAPSHOT_REASON_LARGE);
        assertThat(viewer.frames).allSatisfy(frame -> assertThat(frame.message().getSerializedSize())
                .isLessThan(Frame.MAX_BYTES));
        assertThat(seen(viewer).entries()).isEqualTo(expected(4).entries());
    }

    @Test
    void historyWithAHoleBringsTheStateAnew() {
        run.grow("m1", 10, " more").store(store, 1, 2);
        Probe viewer = view("").awaitVersion(2);
        String cursor = viewer.lastCursor();
        viewer.cancel();
        await().until(() -> watches.feeds() == 0);
        run.store(store, 8);
        Probe resumed = view(cursor).awaitVersion(12);
        assertThat(resumed.frames.get(0).message().getSnapshot().getReason())
                .isEqualTo(SnapshotReason.SNAPSHOT_REASON_CURSOR_EXPIRED);
    }

    @Test
    void viewersOfOneExecutionShareOneFeed() {
        run.store(store, 1);
        List<Probe> viewers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            viewers.add(view(""));
        }
        Probe.awaitVersion(viewers, 2);
        assertThat(watches.feeds()).isEqualTo(1);
        run.text("m1", ".").store(store, 3).ring(bell, 3);
        Probe.awaitVersion(viewers, 3);
        Frame shared = viewers.get(0).frames.get(1);
        assertThat(viewers)
                .allSatisfy(viewer -> assertThat(viewer.frames.get(1)).isSameAs(shared));
        viewers.subList(1, 20).forEach(Probe::cancel);
        assertThat(watches.feeds()).isEqualTo(1);
        viewers.get(0).cancel();
        assertThat(watches.feeds()).isZero();
    }

    @Test
    void losingTheStoreDoesNotStopAViewThatIsOpen() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        store.down(true);
        run.grow("m1", 5, " more").ring(bell, 3);
        viewer.awaitVersion(7);
        assertThat(refusal(run.key(), "")).isEqualTo(Reason.STORE_UNAVAILABLE);
        store.down(false);
        run.phase(Phase.PHASE_COMPLETED).store(store, 3).ring(bell, 8);
        assertEndsWithDone(viewer.awaitEnd(), Phase.PHASE_COMPLETED, 8);
        assertThat(viewer.versions()).isEqualTo(versions(3, 8));
    }

    @Test
    void viewerWithoutNewsGetsBookmarks() {
        watches = watches(SOON, SOON, 64, 1024 * 1024);
        run.store(store, 1);
        Probe viewer = view("");
        WatchExecutionResponse bookmark = viewer.await(WatchExecutionResponse::hasBookmark);
        assertThat(bookmark.getBookmark().getVersion()).isEqualTo(2);
        assertThat(bookmark.getBookmark().getNewsAge().getSeconds()).isPositive();
        assertThat(bookmark.getBookmark().getStoreBehind()).isFalse();
        assertThat(bookmark.getCursor())
                .isEqualTo(viewer.frames.get(0).message().getCursor());
        run.text("m1", ".").ring(bell, 3);
        viewer.await(frame ->
                frame.getBookmark().getVersion() == 3 && frame.getBookmark().getStoreBehind());
        run.store(store, 3);
        int before = viewer.frames.size();
        await().until(() -> viewer.frames.stream()
                .skip(before)
                .anyMatch(frame -> frame.message().hasBookmark()
                        && !frame.message().getBookmark().getStoreBehind()));
        viewer.cancel();
    }

    @Test
    void largeStateComesInPartsOfAtMostAMebibyte() {
        for (int i = 0; i < 40; i++) {
            run.toolCall("t" + i, "read", "{\"file\":" + i + "}").result("t" + i, "é".repeat(60_000));
        }
        run.store(store, 1);
        Probe viewer = view("");
        viewer.await(frame -> frame.getSnapshot().getLast());
        List<WatchExecutionResponse> parts = viewer.messages(FrameCase.SNAPSHOT);
        assertThat(parts).hasSizeGreaterThan(3);
        assertThat(parts)
                .allSatisfy(part -> assertThat(part.getSerializedSize()).isLessThanOrEqualTo(1024 * 1024));
        for (int i = 0; i < parts.size(); i++) {
            boolean last = i == parts.size() - 1;
            assertThat(parts.get(i).getSnapshot().getFirst()).isEqualTo(i == 0);
            assertThat(parts.get(i).getSnapshot().getLast()).isEqualTo(last);
            assertThat(parts.get(i).getCursor().isEmpty()).isEqualTo(!last);
        }
        assertThat(seen(viewer).entries()).isEqualTo(expected(run.version()).entries());
    }

    @Test
    void whatIsNotThereOrAnotherTenantsIsNotFound() {
        run.store(store, 1);
        assertThat(refusal(new ExecutionKey("acme", "nobody"), "")).isEqualTo(Reason.NOT_FOUND);
        assertThat(refusal(new ExecutionKey("globex", "run-1"), "")).isEqualTo(Reason.NOT_FOUND);
        assertThat(watches.feeds()).isZero();
    }

    /** A look that began before the bell was listened to says nothing of what came between. */
    @Test
    void whatCameBetweenTheFirstLookAndTheSubscriptionIsNotLeftToThePoll() {
        watches = watches(Duration.ofSeconds(30), NEVER, 64, 1024 * 1024);
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        Sinks.Empty<Void> gate = Sinks.empty();
        store.headersWaitFor(gate.asMono());
        int reads = store.headerReads.get();
        bell.resubscribe();
        await().until(() -> store.headerReads.get() > reads);
        run.text("m1", " upon").store(store, 3);
        bell.resubscribe();
        store.headersWaitFor(Mono.empty());
        gate.tryEmitEmpty();
        viewer.awaitVersion(3);
        viewer.cancel();
    }

    @Test
    void cursorAheadOfTheStoreThatNeverComesBringsTheStateAnew() {
        watches = watches(SOON, SOON, 64, 1024 * 1024);
        run.store(store, 1);
        Probe first = view("").awaitVersion(2);
        run.grow("m1", 3, " more").ring(bell, 3);
        first.awaitVersion(5);
        String ahead = first.await(frame -> frame.getChange().getVersion() == 5).getCursor();
        first.cancel();
        await().until(() -> watches.feeds() == 0);
        Probe resumed = view(ahead);
        assertThat(resumed.await(WatchExecutionResponse::hasBookmark).getBookmark())
                .satisfies(bookmark -> assertThat(bookmark.getStoreBehind()).isTrue());
        Snapshot anew = resumed.await(WatchExecutionResponse::hasSnapshot).getSnapshot();
        assertThat(anew.getReason()).isEqualTo(SnapshotReason.SNAPSHOT_REASON_CURSOR_EXPIRED);
        assertThat(anew.getExecution().getVersion()).isEqualTo(2);
        run.text("m1", ".").store(store, 3);
        resumed.awaitVersion(6);
        assertThat(resumed.versions()).containsExactly(3L, 4L, 5L, 6L);
        resumed.cancel();
    }

    /** A version that somebody made up must not have the history read five times a second for ever. */
    @Test
    void versionThatNeverComesIsAskedForEverMoreSeldom() {
        watches = watches(Duration.ofMillis(200), NEVER, 64, 1024 * 1024);
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        run.grow("m1", 100, ".").ring(bell, 102, 102);
        long started = System.nanoTime();
        int reads = store.historyReads.get();
        await().until(() -> store.historyReads.get() >= reads + 9);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThan(Duration.ofSeconds(1));
        run.store(store, 3, 101);
        viewer.awaitVersion(102);
        viewer.cancel();
    }

    @Test
    void feedThatCouldNotBeginIsNotSharedWithWhoeverComesLater() {
        run.store(store, 1);
        reactor.core.publisher.Flux<Frame> early = open("");
        reactor.core.publisher.Flux<Frame> late = open("");
        store.down(true);
        // Both share one feed; the first fails, and what it does then is to come again at once.
        Probe first = Probe.eager(early.onErrorResume(failure -> {
            store.down(false);
            return late;
        }));
        first.awaitVersion(2);
        assertThat(first.failure).isNull();
        first.cancel();
    }

    @Test
    void bellThatBreaksAtOnceLeavesNoFeedBehind() {
        run.store(store, 1);
        WatchService broken = new WatchService(
                store,
                new dev.runcast.store.ChangeBell() {
                    @Override
                    public Mono<Void> publish(dev.runcast.v1.ChangeBatch batch) {
                        return Mono.empty();
                    }

                    @Override
                    public Mono<Void> publishRow(dev.runcast.v1.Execution row) {
                        return Mono.empty();
                    }

                    @Override
                    public reactor.core.publisher.Flux<dev.runcast.store.Ring> listen(ExecutionKey key) {
                        throw new IllegalStateException("no bell");
                    }

                    @Override
                    public reactor.core.publisher.Flux<dev.runcast.store.Ring> listenRows(String tenant) {
                        throw new IllegalStateException("no bell");
                    }
                },
                WatchSettings.DEFAULT,
                InstantSource.system());
        Probe viewer = Probe.eager(
                Objects.requireNonNull(broken.open(run.key(), "", Duration.ZERO).block())
                        .frames());
        assertThat(viewer.awaitEnd().failure).isNotNull();
        assertThat(broken.feeds()).isZero();
    }

    @Test
    void viewersThatAreSlowTogetherShareWhatIsFoldedForThem() {
        run.store(store, 1);
        List<Probe> slow = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            slow.add(Probe.demanding(open(""), 1));
        }
        Probe.awaitVersion(slow, 2);
        Probe other = view("").awaitVersion(2);
        run.grow("m1", 50, " more").store(store, 3).ring(bell, 3);
        other.awaitVersion(52);
        slow.forEach(viewer -> viewer.request(1));
        Probe.awaitVersion(slow, 52);
        Frame folded = slow.get(0).frames.get(1);
        assertThat(slow).allSatisfy(viewer -> assertThat(viewer.frames.get(1)).isSameAs(folded));
        slow.forEach(Probe::cancel);
    }

    /** The text of a change is encoded once for a thousand viewers, and each is given every version. */
    @Test
    void aThousandViewersOfOneExecutionSeeEveryChangeAndShareTheFrames() {
        // So large that nothing is folded, however many changes a poll finds at once.
        watches = watches(SOON, NEVER, 1024, 1024 * 1024);
        run.store(store, 1);
        List<Probe> viewers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            viewers.add(view(""));
        }
        Probe.awaitVersion(viewers, 2);
        run.grow("m1", 50, " more").store(store, 3).ring(bell, 3);
        Probe.awaitVersion(viewers, 52);
        List<Frame> first = viewers.get(0).frames;
        assertThat(viewers).allSatisfy(viewer -> {
            assertThat(viewer.versions()).isEqualTo(versions(3, 52));
            assertThat(viewer.frames.get(50)).isSameAs(first.get(50));
        });
        assertThat(watches.feeds()).isEqualTo(1);
        viewers.forEach(Probe::cancel);
    }

    @Test
    void aThousandWatchedExecutionsAreAskedForTogetherOnceAPollEach() {
        watches = watches(Duration.ofSeconds(1), NEVER, 64, 1024 * 1024);
        List<Run> runs = new ArrayList<>();
        List<Probe> viewers = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            Run one = new Run("acme", "many-" + i).store(store, 1);
            runs.add(one);
            viewers.add(Probe.eager(opened(one.key(), "").frames()));
        }
        Probe.awaitVersion(viewers, 1);
        assertThat(watches.feeds()).isEqualTo(1000);
        int reads = store.headerReads.get();
        int common = store.commonReads.get();
        long started = System.nanoTime();
        await().until(() -> store.headerReads.get() >= reads + 3_500);
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThan(Duration.ofSeconds(2));
        assertThat(store.commonReads.get() - common).isBetween(10, 349);
        runs.forEach(one -> one.message("m1", "a").store(store, 2).ring(bell, 2));
        Probe.awaitVersion(viewers, 2);
        viewers.forEach(Probe::cancel);
        assertThat(watches.feeds()).isZero();
    }

    @Test
    void stoppingEndsEveryViewAndBeginsNoMore() {
        run.store(store, 1);
        Probe viewer = view("").awaitVersion(2);
        watches.close();
        viewer.awaitEnd();
        assertThat(((DoorException) Objects.requireNonNull(viewer.failure)).reason())
                .isEqualTo(Reason.DRAINING);
        assertThat(watches.feeds()).isZero();
        assertThat(view("").awaitEnd().failure).isNotNull();
    }

    private WatchService watches(Duration poll, Duration bookmark, int changes, long bytes) {
        return new WatchService(
                store,
                bell,
                new WatchSettings(poll, bookmark, changes, bytes, Duration.ofSeconds(5)),
                InstantSource.system());
    }

    private Probe view(String cursor) {
        return Probe.eager(open(cursor));
    }

    private reactor.core.publisher.Flux<Frame> open(String cursor) {
        return opened(cursor).frames();
    }

    private WatchService.Watch opened(String cursor) {
        return opened(run.key(), cursor);
    }

    private WatchService.Watch opened(ExecutionKey key, String cursor) {
        return Objects.requireNonNull(watches.open(key, cursor, Duration.ZERO).block());
    }

    private Reason refusal(ExecutionKey key, String cursor) {
        try {
            watches.open(key, cursor, Duration.ZERO).block();
        } catch (DoorException e) {
            return e.reason();
        }
        throw new AssertionError("not refused");
    }

    private ExecutionView expected(long version) {
        ExecutionView view = ExecutionView.EMPTY;
        for (Change change : run.history().subList(0, (int) version)) {
            view = view.apply(change);
        }
        return view;
    }

    /** What a viewer has made of its frames: a snapshot is one change from the beginning. */
    static ExecutionView seen(Probe viewer) {
        ExecutionView view = ExecutionView.EMPTY;
        Change.Builder state = Change.newBuilder();
        for (Frame frame : viewer.frames) {
            WatchExecutionResponse message = frame.message();
            if (message.hasSnapshot()) {
                Snapshot part = message.getSnapshot();
                if (part.getFirst()) {
                    state = Change.newBuilder()
                            .setFirstVersion(1)
                            .setVersion(part.getExecution().getVersion())
                            .setExecution(part.getExecution());
                }
                state.addAllEntries(part.getEntriesList()).addAllTexts(part.getTextsList());
                if (part.getLast()) {
                    view = ExecutionView.EMPTY.apply(state.build());
                }
            } else if (message.hasChange()) {
                view = view.apply(message.getChange());
            }
        }
        return view;
    }

    private static void assertEndsWithDone(Probe viewer, Phase phase, long version) {
        WatchExecutionResponse last =
                viewer.frames.get(viewer.frames.size() - 1).message();
        assertThat(last.getDone().getPhase()).isEqualTo(phase);
        assertThat(last.getDone().getVersion()).isEqualTo(version);
        assertThat(viewer.complete).isTrue();
    }

    private static List<Long> versions(long first, long last) {
        return LongStream.rangeClosed(first, last).boxed().toList();
    }
}
