package dev.runcast.runner;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.runcast.runner.Pending.TextKey;
import dev.runcast.v1.ChatMessage;
import dev.runcast.v1.Entry;
import dev.runcast.v1.EntryState;
import dev.runcast.v1.Phase;
import dev.runcast.v1.TextField;
import dev.runcast.v1.ToolCall;
import dev.runcast.v1.Update;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PendingQueueTest {
    private static final long BOUND = 1024 * 1024;
    private static final TextKey ONE = new TextKey("m1", TextField.TEXT_FIELD_TEXT);
    private static final TextKey TWO = new TextKey("m2", TextField.TEXT_FIELD_TEXT);

    private final Counters counters = new Counters();
    private final MemoryBudget budget = new MemoryBudget(BOUND);
    private final Inbox inbox = new Inbox(budget, counters);
    private final PendingQueue queue = new PendingQueue(inbox, budget, counters);

    @Test
    void appendsToTwoTextsThatAlternateAreTwoItems() {
        append(ONE, "a");
        append(TWO, "x");
        append(ONE, "b");
        append(TWO, "y");
        assertThat(drain()).containsExactly("m1:ab", "m2:xy");
        assertThat(counters.coalesced.sum()).isEqualTo(2);
    }

    @Test
    void anUpdateKeepsTheTextsAroundItApart() {
        append(ONE, "a");
        offer(phase(Phase.PHASE_RUNNING));
        append(ONE, "b");
        assertThat(drain()).containsExactly("m1:a", "PHASE_CHANGED", "m1:b");
    }

    @Test
    void textWaitsForItsCadenceUnlessSomethingUrgentStandsBehindIt() {
        append(ONE, "a");
        assertThat(queue.poll(false, 0)).isNull();
        assertThat(queue.poll(false, queue.lastOrdinal())).isNotNull();
        append(ONE, "b");
        offer(phase(Phase.PHASE_RUNNING));
        append(ONE, "c");
        assertThat(queue.poll(false, 0)).isInstanceOf(Pending.Text.class);
        assertThat(queue.poll(false, 0)).isInstanceOf(Pending.Whole.class);
        assertThat(queue.poll(false, 0)).isNull();
    }

    @Test
    void aPairTornBetweenAppendsIsMendedAndALoneHalfReplaced() {
        append(ONE, "a\ud83d");
        append(ONE, "\ude42b\ud83d");
        append(ONE, "c");
        append(ONE, "\ude42");
        append(ONE, "\ud83d");
        offer(phase(Phase.PHASE_COMPLETED));
        assertThat(drain()).containsExactly("m1:a🙂b\ufffdc\ufffd\ufffd", "PHASE_CHANGED");
        assertThat(counters.replacedSurrogates.sum()).isEqualTo(3);
    }

    @Test
    void aLongTextIsCutBetweenCharactersAndPutTogetherAgain() {
        String text = "日本🙂é".repeat(60_000);
        append(ONE, text);
        StringBuilder parts = new StringBuilder();
        for (Pending item = queue.poll(true, 0); item != null; item = queue.poll(true, 0)) {
            Utf8Buffer part = ((Pending.Text) item).text;
            assertThat(part.length()).isLessThanOrEqualTo(Limits.APPEND);
            parts.append(part.toByteString().toStringUtf8());
        }
        assertThat(parts).hasToString(text.substring(0, parts.length()));
        assertThat(text.getBytes(StandardCharsets.UTF_8).length).isGreaterThan(2 * Limits.APPEND);
    }

    @Test
    void anEntryThatIsTooLargeForAnUpdateSaysItsStateWhenItsTextsAreComplete() {
        String result = "r".repeat(300_000);
        offer(upsert(Entry.newBuilder()
                .setEntryId("t1")
                .setState(EntryState.ENTRY_STATE_COMPLETED)
                .setToolCall(ToolCall.newBuilder()
                        .setName("search")
                        .setArguments("{}")
                        .setResult(result))));
        List<Pending> items = new ArrayList<>();
        for (Pending item = queue.poll(false, 0); item != null; item = queue.poll(false, 0)) {
            items.add(item);
        }
        Entry opening = ((Pending.Whole) items.get(0)).update.getEntryUpserted().getEntry();
        assertThat(opening.hasState()).isFalse();
        assertThat(opening.getToolCall().getResult()).isEmpty();
        assertThat(opening.getToolCall().hasResult()).isTrue();
        Entry closing = ((Pending.Whole) items.get(items.size() - 1))
                .update
                .getEntryUpserted()
                .getEntry();
        assertThat(closing.getState()).isEqualTo(EntryState.ENTRY_STATE_COMPLETED);
        assertThat(closing.getToolCall().hasResult()).isFalse();
        StringBuilder texts = new StringBuilder();
        for (Pending item : items.subList(1, items.size() - 1)) {
            texts.append(((Pending.Text) item).text.toByteString().toStringUtf8());
        }
        assertThat(texts).hasToString("{}" + result);
    }

    @Test
    void anUpdateThatCannotBeCutIsLeftOutAndSaysSo() {
        Update.Builder update = Update.newBuilder();
        update.getExecutionPatchedBuilder().putContext("key", "v".repeat(300_000));
        offer(update.build());
        Pending.Left left = (Pending.Left) queue.poll(true, 0);
        assertThat(left.calls).isEqualTo(1);
        assertThat(left.reason).startsWith("an update of 3000").endsWith("bytes (expected: at most 262144)");
    }

    @Test
    void atTheBoundContentIsLeftOutButNeverTheFirstFinalStatus() {
        for (int i = 0; i < 20; i++) {
            offer(upsert(Entry.newBuilder()
                    .setEntryId("m" + i)
                    .setMessage(ChatMessage.newBuilder().setText("x".repeat(100_000)))));
        }
        assertThat(budget.used()).isLessThanOrEqualTo(BOUND + Pending.OMITTED_ALLOWANCE);
        offer(phase(Phase.PHASE_COMPLETED));
        assertThat(drain()).hasSize(12).endsWith("10 left out", "PHASE_CHANGED");
    }

    @Test
    void reliefLeavesOutTextFirstThenTextsOfEntriesThenTheOldest() {
        offer(upsert(Entry.newBuilder()
                .setEntryId("m1")
                .setMessage(ChatMessage.newBuilder().setText("x".repeat(50_000)))));
        append(ONE, "y".repeat(20_000));
        offer(phase(Phase.PHASE_RUNNING));
        append(ONE, "z".repeat(20_000));
        offer(phase(Phase.PHASE_COMPLETED));
        MemoryRelief relief = new MemoryRelief(budget, counters);

        relief.relieve(queue, 15_000);
        assertThat(counters.omitted.sum()).isEqualTo(1);
        relief.relieve(queue, 60_000);
        assertThat(counters.omitted.sum()).isEqualTo(3);
        relief.relieve(queue, BOUND);
        assertThat(drain()).containsExactly("4 left out", "PHASE_CHANGED");
        assertThat(counters.omitted.sum()).isEqualTo(4);
    }

    @Test
    void reliefMergesAppendsAcrossWhatHasNothingToDoWithTheirEntryBeforeItLeavesAnythingOut() {
        for (int i = 0; i < 100; i++) {
            append(ONE, "word ");
            Update.Builder progress = Update.newBuilder();
            progress.getExecutionPatchedBuilder().getProgressBuilder().setPercent(i);
            offer(progress.build());
        }
        new MemoryRelief(budget, counters).relieve(queue, 10_000);
        assertThat(drain()).hasSize(101).startsWith("m1:" + "word ".repeat(100));
        assertThat(counters.omitted.sum()).isZero();
        assertThat(counters.coalesced.sum()).isEqualTo(99);
    }

    @Test
    void whatIsDiscardedGivesItsMemoryBack() {
        append(ONE, "a");
        offer(phase(Phase.PHASE_RUNNING));
        assertThat(queue.discard()).isEqualTo(2);
        assertThat(budget.used()).isZero();
        assertThat(inbox.offer(phase(Phase.PHASE_COMPLETED))).isFalse();
        assertThat(queue.isEmpty()).isTrue();
    }

    private void append(TextKey key, String text) {
        inbox.append(key, text, Timestamp.getDefaultInstance());
        queue.look();
    }

    private void offer(Update update) {
        inbox.offer(update);
        queue.look();
    }

    private static Update phase(Phase phase) {
        Update.Builder update = Update.newBuilder();
        update.getPhaseChangedBuilder().setPhase(phase);
        return update.build();
    }

    private static Update upsert(Entry.Builder entry) {
        Update.Builder update = Update.newBuilder();
        update.getEntryUpsertedBuilder().setEntry(entry);
        return update.build();
    }

    private List<String> drain() {
        List<String> items = new ArrayList<>();
        for (Pending item = queue.poll(true, 0); item != null; item = queue.poll(true, 0)) {
            if (item instanceof Pending.Text text) {
                items.add(text.key.entryId() + ":" + text.text.toByteString().toStringUtf8());
            } else if (item instanceof Pending.Whole whole) {
                items.add(whole.update.getChangeCase().name());
            } else {
                items.add(item.calls + " left out");
            }
        }
        return items;
    }
}
