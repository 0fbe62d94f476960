package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.Phase;
import dev.runcast.v1.TextField;
import dev.runcast.v1.Update;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Agents' threads beside each other and beside the sender. */
@Timeout(60)
class InboxTest {
    private static final long BOUND = 64L * 1024 * 1024;
    private static final int THREADS = 4;
    private static final int REPORTS = 5_000;
    private static final TextKey TEXT = new TextKey("m1", TextField.TEXT_FIELD_TEXT);

    private final Counters counters = new Counters();

    @Test
    void whatSeveralThreadsReportComesOnceAndEachThreadsInItsOrder() throws InterruptedException {
        long seed = Long.getLong("runcast.seed", new Random().nextLong());
        Side together = new Side(BOUND);
        List<Thread> agents = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int thread = i;
            agents.add(new Thread(() -> report(together.inbox, thread, seed + thread)));
        }
        together.takeWhile(agents);

        String again = "seed " + seed + "; again with -Dtest=InboxTest -Druncast.seed=" + seed;
        long calls = 0;
        for (int thread = 0; thread < THREADS; thread++) {
            Side alone = new Side(BOUND);
            report(alone.inbox, thread, seed + thread);
            alone.take();
            assertThat(together.of(thread)).as(again).isEqualTo(alone.of(thread));
            calls += alone.calls;
        }
        assertThat(together.budget.used()).as(again).isZero();
        assertThat(together.inbox.waiting()).as(again).isZero();
        assertThat(together.calls).as(again).isEqualTo(calls);
    }

    @Test
    void ofEndsThatRaceAndWhatIsReportedBesideThemTheFirstIsTheEndAndNothingIsLost() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            Side side = new Side(BOUND);
            CountDownLatch start = new CountDownLatch(1);
            List<Thread> agents = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int thread = i;
                agents.add(new Thread(() -> {
                    await(start);
                    side.inbox.offer(progress(thread, 1));
                    side.inbox.offer(phase(thread % 2 == 0 ? Phase.PHASE_COMPLETED : Phase.PHASE_FAILED));
                    side.inbox.offer(progress(thread, 2));
                }));
            }
            agents.forEach(Thread::start);
            start.countDown();
            side.takeWhileRunning(agents);
            assertThat(side.inbox.ended()).isTrue();
            assertThat(side.taken).hasSize(3 * THREADS);
            List<Pending.Whole> ends = side.taken.stream()
                    .map(Pending.Whole.class::cast)
                    .filter(whole -> Changes.terminal(whole.update))
                    .toList();
            assertThat(ends).hasSize(THREADS);
            assertThat(ends.get(0).last).isTrue();
            assertThat(ends.stream().skip(1)).noneMatch(end -> end.last);
        }
    }

    @Test
    void anAgentThatGoesOnAtTheBoundTakesNoMoreMemoryHoweverLongTheSenderDoesNotCome() {
        Side side = new Side(1024 * 1024);
        for (int i = 0; i < 100_000; i++) {
            side.inbox.append(TEXT, "some words of a model ", Timestamp.getDefaultInstance());
            side.inbox.offer(progress(0, i));
        }
        side.inbox.offer(phase(Phase.PHASE_COMPLETED));
        assertThat(side.budget.used()).isLessThan(1024 * 1024 + 1024);
        assertThat(side.inbox.waiting()).isEqualTo(200_001);
        List<Inbox.Report> reports = List.copyOf(side.inbox.take());
        // Small texts still fit where an update does not: notes and texts alternate until nothing fits.
        assertThat(reports).hasSizeLessThan(10_000);
        assertThat(reports.get(reports.size() - 1)).isInstanceOf(Inbox.Whole.class);
        long left = reports.stream()
                .mapToLong(report -> report instanceof Inbox.Left note ? note.count() : 0)
                .sum();
        long kept = reports.stream()
                .filter(report -> !(report instanceof Inbox.Left))
                .count();
        assertThat(left + kept).isEqualTo(200_001);
        assertThat(counters.omitted.sum()).isEqualTo(left);
    }

    @Test
    void whatIsReportedWhileAnAttemptIsDiscardedGivesItsMemoryBack() throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            MemoryBudget budget = new MemoryBudget(1024 * 1024);
            Outbox outbox = outbox(budget);
            CountDownLatch started = new CountDownLatch(THREADS);
            AtomicBoolean enough = new AtomicBoolean();
            List<Thread> agents = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int thread = i;
                agents.add(new Thread(() -> {
                    started.countDown();
                    for (int report = 0; !enough.get(); report++) {
                        outbox.inbox.offer(progress(thread, report));
                        outbox.inbox.append(TEXT, "word ", Timestamp.getDefaultInstance());
                    }
                }));
            }
            agents.forEach(Thread::start);
            await(started);
            outbox.look();
            outbox.discard();
            enough.set(true);
            for (Thread agent : agents) {
                agent.join();
            }
            assertThat(outbox.inbox.offer(phase(Phase.PHASE_COMPLETED))).isFalse();
            outbox.look();
            assertThat(budget.used()).isZero();
            assertThat(outbox.inbox.waiting()).isZero();
            assertThat(outbox.isEmpty()).isTrue();
        }
    }

    @Test
    void textIsReportedInTheTraceThatWasSetBeforeIt() {
        Side side = new Side(BOUND);
        side.inbox.traceparent("one");
        side.inbox.append(TEXT, "a", Timestamp.getDefaultInstance());
        side.inbox.append(TEXT, "b", Timestamp.getDefaultInstance());
        side.inbox.traceparent("two");
        side.inbox.append(TEXT, "c", Timestamp.getDefaultInstance());
        side.take();
        assertThat(side.taken.stream().map(item -> item.traceparent)).containsExactly("one", "two");
    }

    /** Words to the thread's own message, torn pairs among them, and now and then an update. */
    private static void report(Inbox inbox, int thread, long seed) {
        Random random = new Random(seed);
        TextKey key = new TextKey("m" + thread, TextField.TEXT_FIELD_TEXT);
        String[] words = {"a", "word ", "日本", "\ud83d", "\ude42", ""};
        for (int i = 0; i < REPORTS; i++) {
            if (random.nextInt(10) == 0) {
                inbox.offer(progress(thread, i));
            } else {
                inbox.append(key, words[random.nextInt(words.length)], Timestamp.getDefaultInstance());
            }
        }
    }

    private Outbox outbox(MemoryBudget budget) {
        return new Outbox(
                new StreamKey("run-1", "", 1),
                new SignalLevel(new Callbacks(Runnable::run, counters)),
                budget,
                new MemoryBudget(BOUND),
                counters,
                () -> Simulation.START);
    }

    private static Update progress(int thread, int number) {
        Update.Builder update = Update.newBuilder();
        update.getExecutionPatchedBuilder()
                .getProgressBuilder()
                .setPercent(thread)
                .setMessage("" + number);
        return update.build();
    }

    private static Update phase(Phase phase) {
        Update.Builder update = Update.newBuilder();
        update.getPhaseChangedBuilder().setPhase(phase);
        return update.build();
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** An inbox and its sender, for which everything is acked at once. */
    private final class Side {
        final MemoryBudget budget;
        final Inbox inbox;
        final PendingQueue queue;
        final List<Pending> taken = new ArrayList<>();
        long calls;

        Side(long bound) {
            budget = new MemoryBudget(bound);
            inbox = new Inbox(budget, counters);
            queue = new PendingQueue(inbox, budget, counters);
        }

        void takeWhile(List<Thread> agents) throws InterruptedException {
            agents.forEach(Thread::start);
            takeWhileRunning(agents);
        }

        void takeWhileRunning(List<Thread> agents) throws InterruptedException {
            while (agents.stream().anyMatch(Thread::isAlive)) {
                take();
            }
            for (Thread agent : agents) {
                agent.join();
            }
            take();
        }

        void take() {
            queue.look();
            for (Pending item = queue.poll(true, 0); item != null; item = queue.poll(true, 0)) {
                taken.add(item);
                calls += item.calls;
                budget.release(item.charge);
                queue.settle(item.calls);
            }
        }

        /** What a thread said, text that follows text joined. */
        List<String> of(int thread) {
            List<String> said = new ArrayList<>();
            boolean text = false;
            for (Pending item : taken) {
                if (item instanceof Pending.Text each && each.key.entryId().equals("m" + thread)) {
                    String words = each.text.toByteString().toStringUtf8();
                    said.add(text ? said.remove(said.size() - 1) + words : words);
                    text = true;
                } else if (item instanceof Pending.Whole whole
                        && whole.update.getExecutionPatched().getProgress().getPercent() == thread) {
                    said.add("#"
                            + whole.update.getExecutionPatched().getProgress().getMessage());
                    text = false;
                }
            }
            return said;
        }
    }
}
